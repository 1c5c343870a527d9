"""The kinds of training, one file a kind: who trains it, what may be wrong with it, which code it runs."""
