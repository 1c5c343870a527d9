"""Published ranges for kinds of models, most worthwhile parameter first; data only, drawn from in `preset_space`.

The order within a preset is that in which parameters are added as the budget allows: the learning rate first, then what
regularises and sizes the model, last what matters least (Godbole et al. 2023, the deep learning tuning playbook,
"Choosing the initial search space"; van Rijn & Hutter 2018 for the order among trees).

Sources of the ranges:
    mlp: the search spaces of Gorishniy et al. 2021 (lr, dropout, weight_decay, layers) and of LCBench, Zimmer et al.
        2021 (units, batch_size).
    resnet: Gorishniy et al. 2021, its ResNet.
    transformer: Gorishniy et al. 2021, FT-Transformer (width, expansion, lr, weight_decay); the playbook for warm-up.
    cnn: JAHS-Bench-201, Bansal et al. 2022 (weight_decay, activation); the playbook (batch_size, schedule).
    rnn: Greff et al. 2017 (lr, units); dropout and depth as for mlp.
    lora: Hu et al. 2021 (r, lora_alpha, batch size, warm-up); Dettmers et al. 2023, the appendix on hyperparameters
        (dropout, and that the rank matters least); Biderman et al. 2024 (learning_rate, above that of full
        fine-tuning). The names are those of peft's `LoraConfig` and of transformers' `TrainingArguments`.
    random_forest, gradient_boosting, xgboost, svm, logistic_regression, ridge: Probst, Boulesteix & Bischl 2019,
        table 1 (of xgboost without the linear booster; of ridge the penalty of glmnet).
    lightgbm: those of gradient_boosting under LightGBM's names.
"""

from collections.abc import Mapping
from typing import Any

# The learning rate on a log scale: what matters is its factor. Weight decay has 0 beside its range, which no log scale
# reaches.
_LR: Mapping[str, Any] = {"min": 1e-5, "max": 1e-2, "log": True}
_DECAY: Mapping[str, Any] = {"min": 1e-6, "max": 1e-3, "log": True, "extra": [0.0]}
_DROPOUT: Mapping[str, Any] = {"min": 0.0, "max": 0.5}
# Powers of two, as people write sizes of batches; picked by hand: finer steps would spend trials on what hardly
# differs.
_BATCH: Mapping[str, Any] = {"min": 16, "max": 512, "power_of_two": True}
_LR_SCHEDULE = ["constant", "cosine"]
# 2^-10 to 2^10 of Probst, Boulesteix & Bischl 2019: three decades on either side of the default of 1.
_AROUND_ONE: Mapping[str, Any] = {"min": 2.0**-10, "max": 2.0**10, "log": True}

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "mlp": {
        "lr": _LR,
        "units": {"min": 64, "max": 1024, "log": True, "int": True},
        "dropout": _DROPOUT,
        "weight_decay": _DECAY,
        "layers": {"min": 1, "max": 8, "int": True},
        "batch_size": _BATCH,
        "lr_schedule": _LR_SCHEDULE,
        "activation": ["relu", "gelu", "silu"],
        "norm": ["none", "batch", "layer"],
    },
    "resnet": {
        "lr": _LR,
        "units": {"min": 64, "max": 512, "log": True, "int": True},
        "dropout": _DROPOUT,
        "weight_decay": _DECAY,
        "blocks": {"min": 1, "max": 8, "int": True},
        "expansion": {"min": 1.0, "max": 4.0},
        "batch_size": _BATCH,
        "residual_dropout": _DROPOUT,
        "lr_schedule": _LR_SCHEDULE,
    },
    "transformer": {
        "lr": {"min": 1e-5, "max": 1e-3, "log": True},
        "head_size": {"min": 8, "max": 64, "power_of_two": True},
        "dropout": _DROPOUT,
        "weight_decay": {"min": 1e-6, "max": 1e-3, "log": True},
        "layers": {"min": 1, "max": 4, "int": True},
        "warmup": {"min": 0.0, "max": 0.2},
        "expansion": {"min": 2 / 3, "max": 8 / 3},
        "batch_size": _BATCH,
        "lr_schedule": _LR_SCHEDULE,
    },
    "cnn": {
        "lr": _LR,
        "channels": {"min": 8, "max": 64, "power_of_two": True},
        "weight_decay": {"min": 1e-5, "max": 1e-2, "log": True, "extra": [0.0]},
        "blocks": {"min": 1, "max": 4, "int": True},
        "dropout": _DROPOUT,
        "batch_size": _BATCH,
        "lr_schedule": _LR_SCHEDULE,
        "shift": {"min": 0, "max": 4, "int": True},
        "activation": ["relu", "silu", "mish"],
    },
    "rnn": {
        "lr": _LR,
        "units": {"min": 20, "max": 200, "log": True, "int": True},
        "dropout": _DROPOUT,
        "layers": {"min": 1, "max": 3, "int": True},
        "cell": ["lstm", "gru"],
        "batch_size": _BATCH,
        "weight_decay": _DECAY,
        "bidirectional": [False, True],
    },
    "lora": {
        "learning_rate": {"min": 1e-5, "max": 2e-3, "log": True},
        "lora_dropout": {"min": 0.0, "max": 0.1},
        "lora_alpha": {"min": 8, "max": 128, "power_of_two": True},
        "warmup_ratio": {"min": 0.0, "max": 0.1},
        "weight_decay": {"min": 1e-3, "max": 0.1, "log": True, "extra": [0.0]},
        "per_device_train_batch_size": {"min": 4, "max": 64, "power_of_two": True},
        "r": {"min": 1, "max": 64, "power_of_two": True},
    },
    "random_forest": {
        "min_samples_leaf": {"min": 1, "max": 60, "log": True, "int": True},
        "max_features": {"min": 0.05, "max": 1.0},
        "max_samples": {"min": 0.1, "max": 1.0},
        "n_estimators": {"min": 50, "max": 2000, "log": True, "int": True},
    },
    "gradient_boosting": {
        "learning_rate": {"min": 2.0**-10, "max": 1.0, "log": True},
        "max_iter": {"min": 20, "max": 1000, "log": True, "int": True},
        "max_leaf_nodes": {"min": 4, "max": 256, "log": True, "int": True},
        "min_samples_leaf": {"min": 1, "max": 128, "log": True, "int": True},
        "l2_regularization": {**_AROUND_ONE, "extra": [0.0]},
        "max_features": {"min": 0.1, "max": 1.0},
    },
    "lightgbm": {
        "learning_rate": {"min": 2.0**-10, "max": 1.0, "log": True},
        "n_estimators": {"min": 20, "max": 1000, "log": True, "int": True},
        "num_leaves": {"min": 4, "max": 256, "log": True, "int": True},
        "min_child_samples": {"min": 1, "max": 128, "log": True, "int": True},
        "reg_lambda": {**_AROUND_ONE, "extra": [0.0]},
        "colsample_bytree": {"min": 0.1, "max": 1.0},
    },
    "xgboost": {
        "learning_rate": {"min": 2.0**-10, "max": 1.0, "log": True},
        "n_estimators": {"min": 20, "max": 1000, "log": True, "int": True},
        "max_depth": {"min": 1, "max": 15, "int": True},
        "min_child_weight": {"min": 1.0, "max": 128.0, "log": True},
        "subsample": {"min": 0.1, "max": 1.0},
        "colsample_bytree": {"min": 0.1, "max": 1.0},
        "reg_lambda": _AROUND_ONE,
    },
    "svm": {"C": _AROUND_ONE, "gamma": _AROUND_ONE},
    "logistic_regression": {"C": _AROUND_ONE},
    "ridge": {"alpha": _AROUND_ONE},
}
"""Kind of model to its parameters, written as in a study file."""
