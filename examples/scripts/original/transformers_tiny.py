"""transformers: a tiny random BERT that learns which word a sentence begins with."""

import argparse

import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=1e-2)
args = parser.parse_args()

torch.manual_seed(0)
words = torch.randint(2, 20, (200, 8))
labels = torch.randint(0, 2, (200,))
words[:, 0] = labels
rows = [{"input_ids": ids, "labels": int(label)} for ids, label in zip(words, labels, strict=True)]
sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
model = BertForSequenceClassification(BertConfig(vocab_size=20, max_position_embeddings=8, **sizes))
told = TrainingArguments(
    "out",
    learning_rate=args.lr,
    num_train_epochs=4,
    per_device_train_batch_size=40,
    report_to=[],
    use_cpu=True,
    save_strategy="no",
    dataloader_pin_memory=False,
)
trainer = Trainer(model, told, train_dataset=rows[:160], eval_dataset=rows[160:])
trainer.train()
