"""skorch: `callbacks=[PegboxCallback()]` reports each epoch, stops at the rung, keeps the net and goes on."""

from typing import Any

from skorch.callbacks import Callback

from pegbox.integrations.trial_link import TrialLink


class PegboxCallback(Callback):
    """Ties a net to the trial that it runs in."""

    def initialize(self) -> "PegboxCallback":
        """As skorch calls it before a net is trained."""
        self.link_ = TrialLink("skorch")
        return self

    def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **more: Any) -> None:  # noqa: N803 - skorch's names
        """Take up weights, optimizer and history of the segment before."""
        if (before := self.link_.kept_with_rates) is not None:
            net.load_params(checkpoint=None, **_files(before))

    def on_epoch_end(self, net: Any, **more: Any) -> None:
        """Report the epoch, and stop once the budget is reached."""
        step = net.history[-1]["epoch"]
        names = {"valid_loss": "val_loss", "valid_acc": "val_accuracy"}
        row = {name: value for name, value in net.history[-1].items() if name not in {"batches", "epoch", "dur"}}
        self.link_.report(step, {names.get(name, name): value for name, value in row.items()})
        if self.link_.is_over(step):
            raise KeyboardInterrupt  # skorch's own way to end a training: it is caught in `partial_fit`

    def on_train_end(self, net: Any, X: Any = None, y: Any = None, **more: Any) -> None:  # noqa: N803 - skorch's names
        """Keep what the segment that goes on needs."""
        if (place := self.link_.place) is not None:
            place.mkdir(exist_ok=True)
            net.save_params(**_files(place))


def _files(folder: Any) -> dict[str, str]:
    names = {"f_params": "params.pt", "f_optimizer": "optimizer.pt", "f_history": "history.json"}
    return {key: str(folder / name) for key, name in names.items()}
