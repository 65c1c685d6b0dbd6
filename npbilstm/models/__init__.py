"""Whole models, made of layers: what reads a sequence, and a head that makes something of the scores.

model.py            what the Trainer and the checkpoints need of a model
sequence_model.py   from symbols to scores: what these two share
tagger.py, classifier.py   scores per step, or per sequence
word_tagger.py, word_reader.py   scores per word, of words that are read by their characters beside an embedding
reading.py          ids or features
head.py, heads.py   from scores to a loss and a prediction: what all heads have, and the table of them
classes_head.py     classes, each by itself
crf_head.py         classes that depend on their neighbours
ctc_head.py, ctc_batch.py   labels of which nobody knows at which steps they are; the loss of a whole batch at once
seq2seq.py          from one sequence to another
language_model.py   what comes next
sampling.py         one symbol drawn by its score
attention_decoder.py   the decoder that seq2seq.py has, with attention
decoding.py         answers, step by step: greedy, beam search
hollow.py           models of given sizes before their params
options.py          what options may be
"""

from npbilstm.models.attention_decoder import AttentionDecoder
from npbilstm.models.classifier import SequenceClassifier
from npbilstm.models.decoding import Answer
from npbilstm.models.head import Head
from npbilstm.models.language_model import LanguageModel
from npbilstm.models.model import Model
from npbilstm.models.options import HeadName, Pooling
from npbilstm.models.seq2seq import Seq2Seq
from npbilstm.models.sequence_model import SequenceModel, backward_to_recurrent, forward_from_recurrent
from npbilstm.models.tagger import SequenceTagger
from npbilstm.models.word_tagger import WordTagger

__all__ = [
    "Answer",
    "AttentionDecoder",
    "Head",
    "HeadName",
    "LanguageModel",
    "Model",
    "Pooling",
    "Seq2Seq",
    "SequenceClassifier",
    "SequenceModel",
    "SequenceTagger",
    "WordTagger",
    "backward_to_recurrent",
    "forward_from_recurrent",
]
