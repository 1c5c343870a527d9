"""Hugging Face: one line, `train(trainer)` in place of `trainer.train()`; the model is tiny, random and made here."""

import torch
from rows import EPOCHS, TARGET, TRAIN, VALID
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

from pegbox.integrations.transformers import train

TOKENS = torch.randint(2, 20, (160, 8), generator=torch.Generator().manual_seed(0))
TOKENS[:, 0] = torch.from_numpy(TARGET)
ROWS = [{"input_ids": ids, "labels": int(label)} for ids, label in zip(TOKENS, TARGET, strict=True)]


def run(lr):
    """What a trial calls."""
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    model = BertForSequenceClassification(BertConfig(vocab_size=20, max_position_embeddings=8, **sizes))
    told = TrainingArguments(
        "out",
        learning_rate=lr,
        num_train_epochs=EPOCHS,
        per_device_train_batch_size=40,
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
        save_strategy="no",
        dataloader_pin_memory=False,
    )
    train(Trainer(model, told, train_dataset=ROWS[TRAIN], eval_dataset=ROWS[VALID]))
