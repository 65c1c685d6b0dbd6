"""Models of given sizes whose params are still to come, as layers/hollow.py makes layers."""

from __future__ import annotations

from math import prod
from typing import Any

from npbilstm.layers.checks import require_size
from npbilstm.layers.hollow import count_of_layer
from npbilstm.models.heads import weigh
from npbilstm.models.language_model import LanguageModel
from npbilstm.models.seq2seq import Seq2Seq
from npbilstm.models.sequence_model import SequenceModel
from npbilstm.models.tagger import SequenceTagger
from npbilstm.models.word_tagger import WordTagger, require_counts


def hollow_model(
    make: type[SequenceModel],
    num_symbols: int | None = None,
    num_classes: int | None = None,
    *,
    hidden_size: int,
    num_layers: int,
    input_size: int | None = None,
    num_values: int | None = None,
    embedding_size: int | None = None,
    **options: Any,
) -> SequenceModel:
    """A model. Its params are those of the smallest one with these options, until others take their place.

    Raises as its class does.
    """
    given = {"num_symbols": num_symbols, "num_classes": num_classes, "input_size": input_size, "num_values": num_values}
    small: dict[str, Any] = {name: size and 1 for name, size in {**given, "embedding_size": embedding_size}.items()}
    class_weights = options.pop("class_weights", None)  # as many as there are classes
    model = make(**small, hidden_size=1, num_layers=1, **options)
    embedding, recurrent = model.embedding, model.recurrent
    if embedding is None:
        recurrent.input_size = require_size("input_size", input_size)
    else:
        embedding.num_embeddings = require_size("num_symbols", num_symbols)
        embedding.embedding_size = recurrent.input_size = require_size("embedding_size", embedding_size)
    recurrent.hidden_size, recurrent.num_layers = hidden_size, num_layers
    recurrent._check_options()
    model.head.size = require_size(model.head.sizes, given[model.head.sizes])
    model.linear.input_size = recurrent.features(recurrent.num_layers - 1)
    model.linear.output_size = model.head.num_scores
    if class_weights is not None:
        weigh(model.head, class_weights)
    return model


def hollow_seq2seq(
    make: type[Seq2Seq],
    num_symbols: int,
    num_targets: int,
    *,
    embedding_size: int,
    hidden_size: int,
    **options: Any,
) -> Seq2Seq:
    """A Seq2Seq, likewise."""
    model = make(1, 1, embedding_size=1, hidden_size=1, **options)
    H = 2 * require_size("hidden_size", hidden_size)
    E = H if model.attention else 0
    model.embedding.num_embeddings = require_size("num_symbols", num_symbols)
    model.target_embedding.num_embeddings = require_size("num_targets", num_targets) + 1
    size = require_size("embedding_size", embedding_size)
    model.embedding.embedding_size = model.target_embedding.embedding_size = size
    model.encoder.input_size = model.decoder.input_size = size
    model.encoder.hidden_size, model.decoder.hidden_size, model.decoder.key_size = hidden_size, H, E
    model.bridge.input_size = model.bridge.output_size = 2 * H
    model.linear.input_size, model.linear.output_size = H + E, num_targets + 1
    return model


def hollow_language_model(
    make: type[LanguageModel],
    num_symbols: int,
    *,
    embedding_size: int,
    hidden_size: int,
    num_layers: int,
    **options: Any,
) -> LanguageModel:
    """A LanguageModel, likewise."""
    model = make(1, embedding_size=1, hidden_size=1, num_layers=1, **options)
    embedding, recurrent = model.embedding, model.recurrent
    model.linear.output_size = require_size("num_symbols", num_symbols)
    embedding.num_embeddings = num_symbols + 1
    embedding.embedding_size = recurrent.input_size = require_size("embedding_size", embedding_size)
    recurrent.hidden_size, recurrent.num_layers = hidden_size, num_layers
    recurrent._check_options()
    model.linear.input_size = recurrent.hidden_size
    return model


def hollow_word_tagger(
    make: type[WordTagger],
    num_words: int,
    num_characters: int,
    num_classes: int,
    *,
    embedding_size: int,
    character_embedding_size: int,
    character_hidden_size: int,
    hidden_size: int,
    word_counts: Any = None,
    **options: Any,
) -> WordTagger:
    """A WordTagger, likewise."""
    model = make(1, 1, 1, embedding_size=1, character_embedding_size=1, character_hidden_size=1, hidden_size=1)
    model.words.num_embeddings = require_size("num_words", num_words)
    D = model.words.embedding_size = require_size("embedding_size", embedding_size)
    model.characters.num_embeddings = require_size("num_characters", num_characters)
    size = require_size("character_embedding_size", character_embedding_size)
    model.characters.embedding_size = model.speller.input_size = size
    H = model.speller.hidden_size = require_size("character_hidden_size", character_hidden_size)
    read = {"input_size": D + 2 * H, "num_classes": num_classes, "hidden_size": hidden_size}
    tagger = hollow_model(SequenceTagger, **read, **options)
    assert isinstance(tagger, SequenceTagger)
    model.tagger = tagger
    model.word_counts = None if word_counts is None else require_counts(word_counts, num_words)
    return model


def count_of_numbers(model: SequenceModel | Seq2Seq | LanguageModel | WordTagger) -> int:
    """How many numbers a model has, counted as count_of_layer does."""
    if isinstance(model, WordTagger):
        others = [model.words, model.characters, model.speller]
        return count_of_numbers(model.tagger) + sum(prod(s) for part in others for s in part.param_shapes.values())
    if isinstance(model, Seq2Seq):
        return sum(map(prod, model.param_shapes.values()))
    others = [part for name, part in model.parts.items() if name != model.cell]
    small = sum(prod(shape) for part in others for shape in part.param_shapes.values())
    return count_of_layer(model.recurrent) + small
