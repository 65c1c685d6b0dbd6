"""Our own names: a layer or a model made again from its params alone, e.g. out of np.savez("m.npz", **model.params)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from npbilstm.interop.parts import (
    Arrays,
    as_arrays,
    assembled,
    embedding_of,
    fresh,
    linear_of,
    require_matrix,
    require_reset_after,
)
from npbilstm.layers.layer import part_of, require_same_names
from npbilstm.layers.options import NUMBERS
from npbilstm.layers.recurrent import Recurrent
from npbilstm.models import SequenceModel


def from_params(params: Mapping[str, Any], cell: str | None = None, **options: Any) -> Recurrent:
    """The recurrent layer with these params, "0.forward.Wx" and so on; with reverse=True "0.reverse.Wx" alone.

    cell: "lstm", "gru" or "rnn"; None where the params tell. options: what the params do not tell, as the layer takes
    it: merge, nonlinearity, dropout, ... Peepholes, coupled gates, a projection and the kind of a GRU's reset are read
    off names and shapes.

    Raises ValueError or TypeError for a name that is missing or too many, and for a wrong shape or dtype.
    """
    arrays = as_arrays("params", params)
    directions = [direction for direction in NUMBERS if f"0.{direction}.Wx" in arrays] or ["forward"]
    begin = f"0.{directions[0]}"
    first = part_of(arrays, begin)
    for name in ("Wx", "Wh", "Wp"):
        if name in first:
            require_matrix(f"params['{begin}.{name}']", first[name])
        elif name != "Wp":
            raise ValueError(f"params lacks '{begin}.{name}'")
    H = len(first["Wp"] if "Wp" in first else first["Wh"])
    cell = cell or told_cell(first, H, begin)
    told: dict[str, Any] = {"bidirectional": len(directions) == 2, "reverse": directions == ["reverse"]}
    told["bias"] = "b" in first
    if cell == "lstm":
        told["peepholes"] = "p" in first
        told["coupled"] = first["Wx"].shape[1] == 3 * H
        told["projection_size"] = first["Wp"].shape[1] if "Wp" in first else None
    elif cell == "gru" and "b" in first:
        told["reset_after"] = "b_hn" in first
        if options.get("reset_after", told["reset_after"]) == told["reset_after"]:
            options.pop("reset_after", None)  # a file's description says it too
    elif cell == "gru":
        require_reset_after(options)
    layer = fresh(
        cell,
        len(first["Wx"]),
        H,
        sum(re.fullmatch(rf"\d+\.{directions[0]}\.Wx", name) is not None for name in arrays),
        first["Wx"].dtype,
        told,
        options,
        stored=sum(w.size for w in arrays.values()),
    )
    place = {name: n for n, name in enumerate(layer.params)}  # .safetensors files sort their names
    ordered = sorted(arrays, key=lambda name: place.get(name, len(place)))
    return layer.with_params({name: arrays[name].copy() for name in ordered})


def told_cell(first: Arrays, H: int, begin: str) -> str:
    """The cell of a layer with these params in one direction, by its blocks of gates and its names, which `begin`
    begins."""
    blocks = first["Wh"].shape[1] / H if H else 0
    if blocks in (1, 4):
        return "rnn" if blocks == 1 else "lstm"
    if blocks == 3 and not {"b_hn", "p", "Wp"}.isdisjoint(first):
        return "gru" if "b_hn" in first else "lstm"
    raise ValueError(
        f"params['{begin}.Wh'] has shape {first['Wh'].shape}, which does not tell the cell; "
        f"put its name before all names, e.g. 'gru.{begin}.Wh'"
    )


def model_from_params(params: Mapping[str, Any], make: type[SequenceModel], cell: str, **options: Any) -> SequenceModel:
    """The model with these params, "embedding.W" and so on. options: what they do not tell, e.g. dropout, pooling.

    Raises as from_params does.
    """
    arrays = as_arrays("params", params)
    for name in ("embedding.W", "linear.W", "linear.b"):
        if name not in arrays:
            raise ValueError(f"params lacks {name!r}")
    model = assembled(
        make,
        embedding_of(arrays["embedding.W"]),
        from_params(part_of(arrays, cell), cell),
        linear_of(arrays["linear.W"], arrays["linear.b"]),
        **options,
    )
    require_same_names("params", arrays, model.params)
    return model
