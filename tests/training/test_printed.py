"""What programs print, form by form: read as it was meant, or unread and told; never another number."""

import json
import math
import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pegbox.training.command_output import OutputReader, read_file
from pegbox.training.printed_line import read_line
from pegbox.training.printed_number import read_number


def read(text, metrics="auto"):
    """Step to metrics, the last word at each step, as a curve shows them; texts are what was no number."""
    reader, curve = OutputReader(metrics), {}
    for line in text.split("\n"):
        for step, numbers in reader.read(line):
            curve.setdefault(step, {}).update(numbers)
    return curve


FORMS = {
    "pairs": ("epoch 3 val_acc=0.81 train_loss=0.5", {3: {"val_acc": 0.81, "train_loss": 0.5}}),
    "of all epochs": ("Epoch 3/4: val_acc=0.5, train_loss=0.2", {3: {"val_acc": 0.5, "train_loss": 0.2}}),
    "white space alone": ("Epoch 3/4: loss 0.5 acc 81.2%", {3: {"loss": 0.5, "acc": 0.812}}),
    "epoch and step": ("epoch=3 step=300 val_acc=0.5", {3: {"val_acc": 0.5}}),
    "spaces around": ("epoch = 3 val_acc = 0.5", {3: {"val_acc": 0.5}}),
    "colons": ("epoch: 3, val_loss: 0.5, val_acc: 0.8", {3: {"val_loss": 0.5, "val_acc": 0.8}}),
    "glued": ("epoch:3,loss:0.5,acc:0.8", {3: {"loss": 0.5, "acc": 0.8}}),
    "brackets": ("[epoch 3] train loss 0.5", {3: {"train loss": 0.5}}),
    "bars": ("step 100 | loss 0.5 | lr 1e-3", {100: {"loss": 0.5, "lr": 0.001}}),
    "nanoGPT": ("step 250: train loss 2.1, val loss 2.2", {250: {"train loss": 2.1, "val loss": 2.2}}),
    "nanoGPT iter": ("iter 9: loss 4.2, time 15.1ms, mfu 3.2%", {9: {"loss": 4.2, "time": "15.1ms", "mfu": 0.032}}),
    "slashes": (
        "epoch=1 val/loss=0.5 train/loss=0.1 val-f1=0.3",
        {1: {"val/loss": 0.5, "train/loss": 0.1, "val-f1": 0.3}},
    ),
    "XGBoost": ("[12]\ttrain-rmse:0.6\tvalid-rmse:0.5", {12: {"train-rmse": 0.6, "valid-rmse": 0.5}}),
    "LightGBM": ("[12]\tvalid_0's l2: 0.5\tvalid_1's l2: 0.7", {12: {"valid_0's l2": 0.5, "valid_1's l2": 0.7}}),
    "LightGBM's other names": (
        "[1]\tvalid_0's binary_logloss: 0.5\tvalid_1's binary_logloss: 0.7",
        {1: {"valid_0's binary_logloss": 0.5, "valid_1's binary_logloss": 0.7}},
    ),
    "CatBoost": (
        "12:\tlearn: 0.5\ttest: 0.4\tbest: 0.4 (12)\ttotal: 5ms\tremaining: 3ms",
        {12: {"learn": 0.5, "test": 0.4, "best": 0.4, "total": "5ms", "remaining": "3ms"}},
    ),
    "Keras": (
        "Epoch 1/2\n 5/10 [==>...] - ETA: 0s - loss: 0.9 - val_acc: 0.1\b\b\b\b\b\b\b\r"
        "10/10 [=====] - 1s 5ms/step - loss: 0.5 - val_acc: 0.7\nEpoch 2/2\n10/10 - 1s - loss: 0.25 - val_acc: 0.8",
        {1: {"ETA": "0s", "loss": 0.5, "val_acc": 0.7}, 2: {"loss": 0.25, "val_acc": 0.8}},
    ),
    "Keras 3, in colours": (
        "Epoch 1/2\n"
        "\x1b[1m10/10\x1b[0m \x1b[32m━━━━\x1b[0m\x1b[37m\x1b[0m \x1b[1m1s\x1b[0m 5ms/step - loss: 0.5 - "
        "auc: 0.7",
        {1: {"loss": 0.5, "auc": 0.7}},
    ),
    "Keras checkpoint": ("Epoch 00003: val_loss improved from 0.5 to 0.4, saving model to /tmp/m.h5", {}),
    "Trainer": (
        "{'loss': 0.5, 'learning_rate': 1e-05, 'epoch': 0.5}\n{'eval_loss': 0.4, 'epoch': 1.0}",
        {1: {"loss": 0.5, "learning_rate": 1e-05, "eval_loss": 0.4}},
    ),
    "Trainer 5, texts": ("{'eval_loss': '0.4', 'epoch': '1'}", {1: {"eval_loss": 0.4}}),
    "dict of tensors": (
        "{'loss': tensor(0.5, device='cuda:0'), 'acc': np.float64(0.25), 'lr': nan, 'name': 'resnet50', 'ok': True}",
        {None: {"loss": 0.5, "acc": 0.25, "lr": math.nan}},
    ),
    "dict behind a heading": ("Epoch 2 val: {'loss': 0.5}", {2: {"val loss": 0.5}}),
    "defaultdict": ("defaultdict(<class 'float'>, {'loss': 0.5})", {None: {"loss": 0.5}}),
    "JSON": ('{"epoch": 3, "loss": 0.5, "note": "fine"}', {3: {"loss": 0.5}}),
    "nested JSON": ('{"epoch": 3, "val": {"loss": 0.5, "top": {"1": 0.7}}}', {3: {"val.loss": 0.5, "val.top.1": 0.7}}),
    "JSON in a log": ('2026-11-28 10:00:00 INFO train: {"step": 3, "val_loss": NaN}', {3: {"val_loss": math.nan}}),
    "logging": ("2026-11-28 10:00:00,123 INFO train epoch=3 val_acc=0.8", {3: {"val_acc": 0.8}}),
    "logging, with a name": ("2026-11-28 10:00:00,123 - my.log - INFO - val acc: 0.81", {None: {"val acc": 0.81}}),
    "logging, basic": ("INFO:root:Epoch 3: val acc: 0.81", {3: {"val acc": 0.81}}),
    "Hydra": ("[2026-11-28 10:00:00,123][__main__][INFO] - epoch=1 val_loss=0.5", {1: {"val_loss": 0.5}}),
    "loguru": ("2026-11-28 10:00:00.123 | INFO     | __main__:main:12 - epoch 3 acc 0.8", {3: {"acc": 0.8}}),
    "absl": ("I1128 10:00:00.123456 123 train.py:45] val_acc: 0.8", {None: {"val_acc": 0.8}}),
    "rank": ("[rank0]: epoch 3 loss 0.5", {3: {"loss": 0.5}}),
    "wandb": ("wandb: val_acc 0.81", {None: {"val_acc": 0.81}}),
    "Lightning": (
        "Epoch 3: 100%|####| 10/10 [00:00<00:00, 35.5it/s, v_num=3, train_loss=0.5, val_loss=0.4]",
        {3: {"v_num": 3.0, "train_loss": 0.5, "val_loss": 0.4}},
    ),
    "tqdm, overwritten": (
        "\r 50%|##   | epoch=1 val_acc=0.1\r100%|#####| epoch=1 val_acc=0.2\n\r100%|####| epoch=2 val_acc=0.4",
        {1: {"val_acc": 0.2}, 2: {"val_acc": 0.4}},
    ),
    "tqdm, a bar for each part": (
        "Train: 50%|##  | 5/10 [00:01<00:01, 4.9it/s, loss=0.5]\n"
        "Valid: 50%|##  | 5/10 [00:01<00:01, 4.9it/s, loss=0.6]",
        {None: {"Train loss": 0.5, "Valid loss": 0.6}},
    ),
    "fastai": (
        "epoch     train_loss  valid_loss  accuracy  time    \n0         0.5         0.4         0.8       00:03     ",
        {0: {"train_loss": 0.5, "valid_loss": 0.4, "accuracy": 0.8, "time": "00:03"}},
    ),
    "skorch": (
        "  epoch    train_loss    valid_acc     dur\n"
        "-------  ------------  -----------  ------\n"
        "      1        \x1b[36m0.5\x1b[0m  0.8  0.02",
        {1: {"train_loss": 0.5, "valid_acc": 0.8, "dur": 0.02}},
    ),
    "CSV": (
        "epoch,train_loss,val/loss\n1,0.5,0.4\n2,0.3,nan",
        {1: {"train_loss": 0.5, "val/loss": 0.4}, 2: {"train_loss": 0.3, "val/loss": math.nan}},
    ),
    "markdown": ("| epoch | val_acc |\n|---|---|\n| 1 | 0.5 |", {1: {"val_acc": 0.5}}),
    "ultralytics": (
        "      Epoch    GPU_mem   box_loss       Size\n"
        "        1/3      2.61G      1.153        640: 100%|####| 8/8 [00:01<00:00,  4.5it/s]\n"
        "                 Class     Images  Instances      Box(P          R\n"
        "                   all        128        929       0.64      0.5",
        {},
    ),
    "torchvision's parts": (
        "Epoch 0/24\n"
        "----------\n"
        "train Loss: 0.5 Acc: 0.8\n"
        "val Loss: 0.4 Acc: 0.9\n"
        "\n"
        "Training complete in 3m 2s\n"
        "Best val Acc: 0.92",
        {0: {"train Loss": 0.5, "train Acc": 0.8, "val Loss": 0.4, "val Acc": 0.9, "Best val Acc": 0.92}},
    ),
    "MNIST": (
        "Train Epoch: 3 [0/60000 (0%)]\tLoss: 2.3\n\nTest set: Average loss: 0.0500, Accuracy: 9800/10000 (98%)",
        {3: {"Train Loss": 2.3, "Test Average loss": 0.05, "Test Accuracy": "9800/10000"}},
    ),
    "CIFAR tutorial": ("[2,  4000] loss: 2.173", {2: {"loss": 2.173}}),
    "ImageNet": (
        "Epoch: [3][ 10/100]\tTime  0.1 ( 0.2)\tLoss 6.9e+00 (7.0e+00)\tAcc@1   0.50 (  0.60)\n"
        " * Acc@1 70.100 Acc@5 90.200",
        {3: {"Time": 0.1, "Loss": 6.9, "Acc@1": 70.1, "Acc@5": 90.2}},
    ),
    "word language model": (
        "| epoch   3 |   200/ 2983 batches | lr 5.00 | loss  6.80\n"
        "| end of epoch   3 | time: 12.34s | valid loss  5.61 | valid ppl   274.21",
        {3: {"lr": 5.0, "loss": 6.8, "time": "12.34s", "valid loss": 5.61, "valid ppl": 274.21}},
    ),
    "mmengine": ("Epoch(val) [3][10/10]    accuracy/top1: 70.1", {3: {"val accuracy/top1": 70.1}}),
    "two parts in a line": (
        "Epoch 3 - train: loss=0.5 acc=0.7 - val: loss=0.6 acc=0.8",
        {3: {"train loss": 0.5, "train acc": 0.7, "val loss": 0.6, "val acc": 0.8}},
    ),
    "the best is not the last": (
        "epoch=1 acc=0.9\nepoch=2 acc=0.8\nBest acc=0.9",
        {1: {"acc": 0.9}, 2: {"acc": 0.8, "Best acc": 0.9}},
    ),
    "the best epoch is no step": ("epoch=2 acc=0.8\nbest epoch: 1, acc: 0.9", {2: {"acc": 0.9, "best epoch": 1.0}}),
    "metrics of the Trainer, at its end": (
        "  epoch                   =        3.0\n  eval_accuracy           =     0.8123\n"
        "  eval_runtime            = 0:00:01.23\n  eval_samples_per_second =  1,234.5",
        {3: {"eval_accuracy": 0.8123, "eval_runtime": "0:00:01.23", "eval_samples_per_second": "1,234.5"}},
    ),
    "one fold of several": ("fold=2 epoch=1 loss=0.5", {1: {"fold": 2.0, "loss": 0.5}}),
    "eager tensors": ("loss: <tf.Tensor: shape=(), dtype=float32, numpy=0.5>", {None: {"loss": 0.5}}),
    "brackets in a name": ("metrics/mAP50-95(B)=0.5", {None: {"metrics/mAP50-95(B)": 0.5}}),
    "another alphabet": ("epoch=1 验证/损失=0.5", {1: {"验证/损失": 0.5}}),
    "the end of a sentence": ("best val acc: 0.8125.", {None: {"best val acc": 0.8125}}),
    "not finite": (
        "epoch=1 loss=nan rmse=-inf auc=Infinity",
        {1: {"loss": math.nan, "rmse": -math.inf, "auc": math.inf}},
    ),
    "prose": ("Loaded 500 images from 3 folders in 5.2 s\nSee https://x.org:8080/a?b=c3\ndevice=cuda:0", {}),
    "options that were given": ("Namespace(lr=0.1, name='resnet50', layers=[64, 32])", {None: {"lr": 0.1}}),
}


@pytest.mark.parametrize("form", FORMS)
def test_what_programs_print_is_read_as_it_was_meant(form):
    text, expected = FORMS[form]

    assert repr(read(text)) == repr(expected)  # as texts, where NaN equals NaN


NO_NUMBERS = [
    "1,205.13", "3,5", "1_000", "1'205.13", "0.5s", "12ms", "3.2GB", "N/A", "None", "3/4", "1.2.3", "0x1F", "5e", "--",
    "$5", "5€", "1 205.13", "1 205,13", "0.5 0.6", "0.5 -> 0.4", "5 ms", "10:30", "81%%", "1d-3", "½", "0,5", "~0.5",
]  # fmt: skip


@pytest.mark.parametrize("sign", ["=", ": ", " = "])
@pytest.mark.parametrize("token", NO_NUMBERS)
def test_a_token_that_is_no_number_is_never_cut_to_one(token, sign):
    curve = read(f"epoch=2 val_loss{sign}{token}")

    assert not isinstance(curve.get(2, {}).get("val_loss", ""), float)


@pytest.mark.parametrize(
    "text",
    [
        "loss=0.5 loss=0.6",
        '{"loss": 0.5, "loss": 0.6}',
        '{"a": {"b": 0.5}, "a.b": 0.6}',
        "class A: loss: 0.5, class A: loss: 0.6",
        "Macro loss=0.5\nMicro loss=0.6",
        "Fold 1: loss=0.5\nFold 2: loss=0.6",
        "fold=1 epoch=1 loss=0.5\nfold=2 epoch=1 loss=0.6",
    ],
)
def test_two_things_never_fall_together_under_one_name(text):
    last = [value for numbers in read(text).values() for name, value in numbers.items() if name.endswith(("loss", "b"))]

    assert last
    assert not any(isinstance(value, float) for value in last)


def test_percent_signs_are_kept_apart_from_fractions():
    assert read("epoch=1 acc=0.81\nepoch=2 acc=82%\nepoch=3 acc: 83.5 %") == {
        1: {"acc": 0.81},
        2: {"acc": 0.82},
        3: {"acc": 0.835},
    }


def test_an_expression_that_cuts_a_number_reads_none():
    assert read("loss: 1,205.13", r"regex:loss: (?P<loss>\d+)") == {None: {"loss": "1,2..."}}


def test_equals_alone_reads_no_other_pairs():
    assert read("epoch 3: a=1 b: 2 c 3 {'d': 4}", "name=value") == {3: {"a": 1.0}}


def test_json_alone_reads_no_pairs():
    assert read('loss=0.5\n{"loss": 0.25}', "json") == {None: {"loss": 0.25}}


def test_what_was_read_is_told():
    reader = OutputReader("auto")
    for line in ["epoch=1 val_acc=81% train_loss=0.5", "one", "two 2 three", "", "four: 5,6"]:
        reader.read(line)

    assert reader.tell() == "read val_acc, train_loss; step from `epoch`; percentages as fractions, 81.2% is 0.812"
    assert reader.unread == "'one', 'two 2 three', 'four: 5,6'"


def test_files_are_json_lines_or_a_table():
    table = read_file("epoch, val/loss\n1, 0.5\n2, 0.25\n")
    lines = read_file('{"epoch": 1, "a": {"b": 0.5}}\n{"epoch": 2, "a": {"b": 0.25}}')

    assert [(row.step, row.numbers) for row in table] == [(1, {"val/loss": 0.5}), (2, {"val/loss": 0.25})]
    assert [(row.step, row.numbers) for row in lines] == [(1, {"a.b": 0.5}), (2, {"a.b": 0.25})]


NAMES = st.from_regex(r"[a-z]{1,6}([_/.-][a-z]{1,5}){0,2}", fullmatch=True).filter(
    lambda name: name not in {"nan", "inf", "e", "epoch", "round", "iteration", "iter", "step", "na"}
)
VALUES = st.floats(allow_nan=False, allow_infinity=False).map(lambda value: float(f"{value:.6g}"))


def spelled(metrics, sign, between):
    return between.join(f"{name}{sign}{value}" for name, value in metrics.items())


WRITERS = {
    "pairs": lambda epoch, metrics: f"epoch={epoch} {spelled(metrics, '=', ' ')}",
    "colons": lambda epoch, metrics: f"Epoch {epoch}/9: {spelled(metrics, ': ', ', ')}",
    "bars": lambda epoch, metrics: f"epoch {epoch} | {spelled(metrics, ' ', ' | ')}",
    "dashes": lambda epoch, metrics: f"[epoch {epoch}] - {spelled(metrics, ': ', ' - ')}",
    "dict": lambda epoch, metrics: str({**metrics, "epoch": epoch}),
    "JSON": lambda epoch, metrics: json.dumps({"epoch": epoch, **metrics}),
    "log": lambda epoch, metrics: f"2026-01-02 03:04:05,678 INFO epoch {epoch} {spelled(metrics, '=', ' ')}",
    "bar": lambda epoch, metrics: f"Epoch {epoch}: 50%|## | 1/2 [00:01<00:01, 2.0it/s, {spelled(metrics, '=', ', ')}]",
}


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(WRITERS)), st.integers(0, 999), st.dictionaries(NAMES, VALUES, min_size=1, max_size=4))
def test_whatever_is_printed_in_a_known_form_is_read_back(form, epoch, metrics):
    assert read(WRITERS[form](epoch, metrics)) == {epoch: metrics}


PIECES = st.one_of(
    st.sampled_from(["epoch", "epoch=3", "step", "loss", "val_loss=", "best", "val", "train", "INFO", "é", "验"]),
    st.sampled_from(["1", "12", "0.5", "1,205", "3,5", "nan", "inf", "N/A", "1e9", "1e400", "10:00:00", "2026-01-01"]),
    st.sampled_from([":", "=", "==", "{", "}", "[", "]", "(", ")", "'", '"', "%", ",", ";", "|", "-", "\\", "..."]),
    st.sampled_from(["{'a':", '{"a":', "tensor(", "np.float64(", "50%|#|", "\x1b[0m", "\r", "\b", "\x00", "\udcff"]),
    st.text(max_size=6),
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(PIECES, max_size=12).map(" ".join),
    st.sampled_from(["auto", "json", "name=value"]),
)
@example("{" * 5000, "auto")
@example('{"a":' * 3000 + "1" + "}" * 3000, "auto")
@example("loss: " + "-" * 3000 + "1", "auto")
def test_no_line_breaks_the_reader_and_no_number_is_made_up(text, metrics):
    for numbers in read(text, metrics).values():
        for value in numbers.values():
            if isinstance(value, float) and math.isfinite(value):
                assert any(_stands_in(value, text, scale) for scale in (1, 100))


def _stands_in(value, text, scale):
    """True if a whole token of the text is this number, or this percentage."""
    for token in text.replace("%", " ").translate(str.maketrans("=:;|()[]{}'\"`!\r\b", " " * 16)).split():
        number = read_number(token.strip(","))
        if number is not None and math.isclose(number, value * scale, rel_tol=1e-9, abs_tol=1e-320):
            return True
    return False


@pytest.mark.parametrize(
    "piece",
    ["x", "1", "epoch ", "epoch 1 ", "a=1 ", "a ", "1%|", "-", "{", "tensor(1,", " ", "a:", "'", "a b c, ", "[1]"],
)
def test_the_longest_lines_are_read_at_once(piece):
    """Not a matter of seconds: a rule that looks again and again would take hours for a line of this length."""
    read_line((piece * 100_000)[:100_000])


def test_reading_forgets_nothing_between_streams_of_one_program():
    lines = [f"epoch={epoch} loss={1 / epoch}" for epoch in range(1, 200)]
    random.Random(0).shuffle(lines)

    assert read("\n".join(lines)) == {epoch: {"loss": 1 / epoch} for epoch in range(1, 200)}
