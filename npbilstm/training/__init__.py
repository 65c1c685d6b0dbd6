"""Training: optimizers, clipping, schedules, the loop with its progress bar, checkpoints, metrics."""

from npbilstm.layers.padding import pad
from npbilstm.training.batches import batch_order, windows
from npbilstm.training.checkpoints import (
    load_model,
    load_trainer,
    read_checkpoint,
    save_checkpoint,
    save_model,
)
from npbilstm.training.clipping import clip_by_global_norm
from npbilstm.training.evaluation import accuracy, confusion, predict_long, predict_sequences, recall
from npbilstm.training.optimizers import SGD, Adam, Optimizer
from npbilstm.training.schedules import constant, linear
from npbilstm.training.spans import span_f1, spans
from npbilstm.training.streams import symbol_costs
from npbilstm.training.trainer import Settings, Trainer, count

__all__ = [
    "SGD",
    "Adam",
    "Optimizer",
    "Settings",
    "Trainer",
    "accuracy",
    "batch_order",
    "clip_by_global_norm",
    "confusion",
    "constant",
    "count",
    "linear",
    "load_model",
    "load_trainer",
    "pad",
    "predict_long",
    "predict_sequences",
    "read_checkpoint",
    "recall",
    "save_checkpoint",
    "save_model",
    "span_f1",
    "spans",
    "symbol_costs",
    "windows",
]
