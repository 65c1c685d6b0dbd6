"""Japanese Vowels (Kudo, Toyama & Shimbo 1999): which of nine speakers says a vowel? 270 and 370 series of 7 to 29
steps, 12 features. The package aeon (extra `data`) brings its files; no network is asked."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from npbilstm.datasets.series import SeriesData, series


def japanese_vowels(seed: int = 0) -> SeriesData:
    """The archive's own test part; for validation a tenth of its training part, drawn with seed.

    Raises ValueError where the package aeon is not installed, or has not these files.
    """
    spec = find_spec("aeon")  # where it stands; it is not imported
    if spec is None or spec.origin is None:
        raise ValueError("Japanese Vowels needs the package aeon, which brings the files: pip install 'npbilstm[data]'")
    folder = Path(spec.origin).parent / "datasets" / "data" / "JapaneseVowels"
    train, test = (folder / f"JapaneseVowels_{part}.ts" for part in ("TRAIN", "TEST"))
    if not train.exists():
        raise ValueError(f"this version of aeon does not bring Japanese Vowels: there is no {train}")
    return series(train, test=test, seed=seed)
