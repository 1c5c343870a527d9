"""What is wrong with a study that asks for population based training, told before anything is trained."""

from collections.abc import Iterator

from pegbox.schemas.errors import Problem, suggest
from pegbox.schemas.plan import FidelitySpec
from pegbox.schemas.population import PopulationOptions, interval_of, known_mutable, movable, mutable_parameters
from pegbox.schemas.study import StudySpec
from pegbox.schemas.train import CommandTrain, ModuleTrain, SklearnTrain, TorchTrain

MUTABLE = ("search", "options", "mutable")


def check_population(spec: StudySpec) -> tuple[Problem, ...]:
    """Problems of a population whose options are of the right types."""
    names = PopulationOptions.model_fields
    options = PopulationOptions.model_validate({key: one for key, one in spec.search.options.items() if key in names})
    return (
        *_check_training(spec),
        *_check_fidelity(spec),
        *_check_budget(spec, options),
        *_check_mutable(spec, options),
    )


def _check_training(spec: StudySpec) -> Iterator[Problem]:
    method, train = spec.search.method, spec.train
    if isinstance(train, SklearnTrain):
        message = f"{method} copies checkpoints in mid-training, and an estimator keeps none. Use bayes, "
        yield Problem(f"{message}or train the kind mlp, a module or a function that saves checkpoints.", ("search",))
    if isinstance(train, CommandTrain) and not _keeps_checkpoints(train):
        message = f"{method} copies checkpoints in mid-training, and this command names no place for one. Write to "
        yield Problem(f"{message}{{checkpoint_dir}}, go on from {{resume_dir}}, or use bayes.", ("train", "command"))
    if isinstance(train, TorchTrain | ModuleTrain) and train.patience is not None:
        message = f"{method} itself ends members that fall behind, and patience would end others. Leave patience out."
        yield Problem(message, ("train", "patience"))
    if spec.run.batch is not None:
        message = f"members of {method} go on from checkpoints of each other, and are trained one by one. "
        yield Problem(f"{message}Leave run.batch out.", ("run", "batch"))


def _keeps_checkpoints(train: CommandTrain) -> bool:
    text = " ".join(train.command)
    return "checkpoint_dir" in text and "resume_dir" in text


def _check_fidelity(spec: StudySpec) -> Iterator[Problem]:
    method = spec.search.method
    if spec.trial_schedule.name != "full":
        message = f"{method} decides itself who is trained how far. Leave the schedule out, or use it with bayes."
        yield Problem(message, ("fidelity", "schedule"))
    for name in ("min", "factor"):
        # By value: a study that comes back from the store says all of its fields.
        default = FidelitySpec.model_fields[name].default
        if getattr(spec.fidelity, name) != default and spec.trial_schedule.name == "full":
            message = f"{method} compares its members every `interval` epochs. Leave {name} out."
            yield Problem(message, ("fidelity", name))
    if spec.space.sum:
        message = f"{method} moves each parameter for itself, and those of a sum move together. Use bayes for sums."
        yield Problem(message, ("space", "sum"))
    if spec.budget.improvement is not None:
        message = f"improvement is foretold for configurations that stay as they are, and those of {method} change. "
        yield Problem(f"{message}Leave it out.", ("budget", "improvement"))


def _check_budget(spec: StudySpec, options: PopulationOptions) -> Iterator[Problem]:
    full, population = spec.full_budget, options.population
    interval = interval_of(spec.search, full)
    if interval >= full:
        message = f"an interval of {interval} epochs leaves no comparison before the full budget of {full}. Lower it, "
        yield Problem(f"{message}or raise train.epochs.", ("search", "options", "interval"))
    if options.burn_in >= full:
        message = f"a burn_in of {options.burn_in} lasts as long as the full budget of {full} epochs. Lower it."
        yield Problem(message, ("search", "options", "burn_in"))
    if spec.budget.trials is not None and spec.budget.trials < population:
        message = f"a population of {population} begins as many trials, and the budget has {spec.budget.trials}. "
        yield Problem(f"{message}Raise it (copies count too), or limit epochs instead.", ("budget", "trials"))
    if spec.budget.epochs is not None and spec.budget.epochs < population * full:
        message = f"{population} members of {full} epochs take {population * full}, and the budget has "
        advice = f"{spec.budget.epochs}. Raise it, or lower population to {spec.budget.epochs // full} or epochs to "
        yield Problem(f"{message}{advice}{spec.budget.epochs // population}.", ("budget", "epochs"))
    if len(spec.search.enqueue) > population:
        message = f"{len(spec.search.enqueue)} known configurations do not fit into a population of {population}. "
        yield Problem(f"{message}Raise population.", ("search", "enqueue"))


def _check_mutable(spec: StudySpec, options: PopulationOptions) -> Iterator[Problem]:
    known = known_mutable(spec.train)
    if options.mutable is None and known is None:
        message = f"what a {spec.train.kind} can take up in mid-training only you know. Name the parameters: "
        yield Problem(f"{message}`options: {{mutable: [lr]}}`.", MUTABLE)
        return
    free = movable(spec.space)
    for name in options.mutable or ():
        if name not in spec.space.parameters:
            yield Problem(f"mutable names no parameter {name!r}. {suggest(name, spec.space.parameters)}", MUTABLE)
        elif name not in free:
            why = "is constant, part of a sum, or others are conditional on it"
            yield Problem(f"{name} cannot change in mid-training: it {why}. Leave it out of mutable.", MUTABLE)
        elif isinstance(spec.train, TorchTrain) and known is not None and name not in known:
            what = "its state fits no other" if name == "optimizer" else "it makes another network"
            yield Problem(f"{name} cannot change in mid-training: {what}. Leave it out of mutable.", MUTABLE)
    if options.mutable is None and not mutable_parameters(spec.search, spec.train, spec.space):
        some = "lr, batch_size, weight_decay, momentum, dropout"
        message = f"{spec.search.method} changes parameters in mid-training, and none of the space can. "
        yield Problem(f"{message}Search one such as {some}; others stay fixed in a member.", ("space",))
