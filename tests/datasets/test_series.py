"""Real-valued series from files: what each layout says is read, and what is missing is named."""

import sys

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.datasets import Standardization, japanese_vowels, read_series
from tests.cases import assert_close

CSV = """series,class,warmth,pressure
monday,rain,12.5,1003
monday,rain,12.1,1001

tuesday,sun,17.0,1020
"""
TS = """# a comment
@problemName small
@timeStamps false
@univariate false
@dimensions 2
@equalLength false
@classLabel true up down
@data
1.0,2.0,3.5:0.5,0.4,0.25:up
-1,1e-1:7,8:down
"""


def write(folder, name, text):
    (folder / name).write_text(text)
    return folder / name


def write_npz(folder, **arrays):
    np.savez(folder / "data.npz", **arrays)
    return folder / "data.npz"


def as_lists(file):
    targets = [target.tolist() if isinstance(target, np.ndarray) else target for target in file.targets]
    return [row.tolist() for row in file.rows], targets


def test_a_csv_file_has_a_line_a_step_and_its_columns_by_name(tmp_path):
    read = read_series(write(tmp_path, "data.csv", CSV))
    assert as_lists(read) == ([[[12.5, 1003.0], [12.1, 1001.0]], [[17.0, 1020.0]]], ["rain", "sun"])
    assert (read.kind, read.features) == ("class", ["warmth", "pressure"])
    for header, kind, targets in [
        ("class_per_step", "class_per_step", [["1", "2"], ["3"]]),
        ("value_per_step", "value_per_step", [[[1.0], [2.0]], [[3.0]]]),
    ]:
        read = read_series(write(tmp_path, "data.csv", f"series,x,{header}\na,0,1\na,0,2\nb,0,3\n"))
        assert (read.kind, as_lists(read)[1]) == (kind, targets)
    read = read_series(write(tmp_path, "data.csv", "value.low,series,value.high,x\n1,a,2,0\n1,a,2,5\n"))
    assert as_lists(read) == ([[[0.0], [5.0]]], [[1.0, 2.0]])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (CSV.replace("1001", ""), r"data\.csv, line 3, column 'pressure': the value is missing \(nothing\)"),
        (CSV.replace("17.0", "NaN"), r"line 5, column 'warmth': the value is missing \('NaN'\)"),
        (CSV.replace("17.0", "inf"), "line 5, column 'warmth': 'inf' is no finite number"),
        (CSV.replace("17.0", "1_7"), "line 5, column 'warmth': '1_7' is no finite number"),
        (CSV.replace("17.0", "warm"), "line 5, column 'warmth': 'warm' is no finite number"),
        (CSV.replace("tuesday,sun", "tuesday,"), "line 5, column 'class': the value is missing; it needs a class"),
        (CSV.replace("rain,12.1", "sun,12.1"), "line 3, column 'class' is not what it is in line 2; a series has one"),
        (CSV + "monday,rain,1,2\n", "line 6: series 'monday' had its last step in line 3"),
        (CSV.replace("tuesday,", ","), "line 5, column 'series' is empty"),
        (CSV + "wednesday,sun,1\n", "line 6: 3 fields; the first line names 4 columns"),
        (CSV.replace("series", "name"), "has no column `series`"),
        (CSV.replace("class", "kind"), "has no column of a target; it needs one of class, class_per_step, value"),
        (CSV.replace("warmth", "value"), "has class and value; it needs one of"),
        (CSV.replace("warmth", "pressure"), "has two columns named 'pressure'"),
        ("series,class\na,b\n", "has no column of a feature"),
        ("series,class,x\n", "holds no series"),
        ("", "the file is empty"),
        (CSV + '"open,', "line 6: unexpected end of data"),
    ],
)
def test_of_a_csv_file_the_line_and_the_column_are_named(text, said, tmp_path):
    with pytest.raises(ValueError, match=said):
        read_series(write(tmp_path, "data.csv", text))


def test_a_ts_file_has_a_line_a_series_and_its_dimensions_side_by_side(tmp_path):
    read = read_series(write(tmp_path, "data.ts", TS))
    assert as_lists(read) == ([[[1.0, 0.5], [2.0, 0.4], [3.5, 0.25]], [[-1.0, 7.0], [0.1, 8.0]]], ["up", "down"])
    assert read.classes == ["up", "down"]
    values = TS.replace("@classLabel true up down", "@targetLabel true").replace(":up", ":2.5").replace(":down", ":3")
    read = read_series(write(tmp_path, "data.TS", values))
    assert (read.kind, as_lists(read)[1]) == ("value", [[2.5], [3.0]])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TS.replace("0.4", "?"), r"data\.ts, line 9, dimension 1, step 1: the value is missing \('\?'\)"),
        (TS.replace("8", "NaN"), "line 10, dimension 1, step 1: the value is missing"),
        (TS.replace(",8", ""), "line 10: dimension 1 has 1 steps, dimension 0 has 2"),
        (TS.replace(":7,8", ""), "line 10 has 1 dimensions; the series above have 2"),
        (TS.replace("sions 2", "sions 3"), "says @dimensions 3, and its series have 2"),
        (TS.replace(":down", ":left"), "line 10: 'left' is none of the classes of @classLabel"),
        (TS.replace(":down", ":"), "line 10: the class is missing"),
        (TS.replace("Stamps false", "Stamps true"), "gives a time with each value"),
        (TS.replace("1.0,2.0,3.5", "(0,1.0),(1,2.0)"), "line 9 holds pairs of a time and a value"),
        (TS.replace("@classLabel true up down\n", ""), "needs either `@classLabel true`"),
        (TS.replace(" up down", ""), "`@classLabel true` without the classes"),
        (TS.replace("@data\n", ""), "line 8: '1.0,2.0,3.5:0.5,0.4,0.25:up' stands above @data"),
        (TS[: TS.index("1.0")], "holds no series below @data"),
    ],
)
def test_of_a_ts_file_the_line_the_dimension_and_the_step_are_named(text, said, tmp_path):
    with pytest.raises(ValueError, match=said):
        read_series(write(tmp_path, "data.ts", text))


def arrays(**changed):
    x = np.arange(12.0).reshape(2, 3, 2)
    x[1, 2] = np.nan  # padding
    return {"x": x, "lengths": np.array([3, 2]), **(changed or {"class": np.array(["up", "down"])})}


def test_an_npz_file_has_padded_arrays_and_its_padding_does_not_matter(tmp_path):
    read = read_series(write_npz(tmp_path, **arrays()))
    assert as_lists(read) == ([[[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]], [[6.0, 7.0], [8.0, 9.0]]], ["up", "down"])
    for kind, target, found in [
        ("class", np.array([3, 1]), ["3", "1"]),
        ("class_per_step", np.array([[1, 2, 3], [4, 5, -9]]), [["1", "2", "3"], ["4", "5"]]),
        ("value", np.array([[0.5], [1.5]]), [[0.5], [1.5]]),
        (
            "value_per_step",
            np.array([[[1.0], [2], [3]], [[4], [5], [np.nan]]]),
            [[[1], [2], [3]], [[4], [5]]],
        ),
    ]:
        read = read_series(write_npz(tmp_path, **arrays(**{kind: target})))
        assert (read.kind, as_lists(read)[1]) == (kind, found)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"lengths": np.array([3, 3]), "class": np.array([0, 1])},
            r"x, row 1, step 2, feature 0: the value is missing",
        ),
        (
            {"lengths": np.array([3, 4]), "class": np.array([0, 1])},
            r"lengths\[1\] is 4; it needs to be between 0 and 3",
        ),
        ({"lengths": np.array([3.0, 2]), "class": np.array([0, 1])}, r"lengths has shape \(2,\) and dtype float64"),
        (
            {"x": np.zeros((2, 3)), "class": np.array([0, 1])},
            r"x has shape \(2, 3\) and dtype float64; it needs numbers",
        ),
        ({"class": np.array([0.5, 1])}, r"class has shape \(2,\) and dtype float64; it needs integers or text \(2,\)"),
        ({"class": np.array(["up", ""])}, "class, row 1: the value is missing"),
        ({"value": np.ones(2)}, r"value has shape \(2,\) and dtype float64; it needs floating numbers \(2, K\)"),
        ({"value": np.array([[1], [np.inf]])}, "value, row 1, value 0: inf is no finite number"),
        ({"value": np.ones((2, 1)), "class": np.array([0, 1])}, "has class and value; it needs one of"),
        ({"y": np.ones(2)}, "holds 'y', which is none of x, lengths, class"),
        ({"lengths": np.array([3, 2])}, "has no array of a target"),
    ],
)
def test_of_an_npz_file_the_row_and_the_step_are_named(changed, said, tmp_path):
    with pytest.raises(ValueError, match=said):
        read_series(write_npz(tmp_path, **arrays(**changed)))


def test_a_file_of_another_kind_is_named(tmp_path):
    with pytest.raises(
        ValueError, match=r"data\.txt is no file of series; its name needs to end in \.csv, \.npz, \.ts"
    ):
        read_series(write(tmp_path, "data.txt", CSV))
    with pytest.raises(ValueError, match=r"data\.npz is no \.npz archive"):
        read_series(write(tmp_path, "data.npz", CSV))


def test_series_are_standardised_by_the_steps_of_the_training_part_alone(tmp_path):
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 5, 30)
    x = np.where((np.arange(4) < lengths[:, None])[..., None], rng.standard_normal((30, 4, 2)) * 5 + 3, np.nan)
    data = nb.series(write_npz(tmp_path, x=x, lengths=lengths, value=rng.standard_normal((30, 1)) * 9))
    assert (len(data.train), len(data.valid), len(data.test)) == (24, 3, 3)
    steps = np.concatenate([row.x for row in data.train])
    assert_close(steps.mean(axis=0), [0, 0], 1e-6)
    assert_close(steps.std(axis=0), [1, 1], 1e-6)
    raw = np.concatenate([row[:length] for row, length in zip(x, lengths)])
    every = np.concatenate([data.inputs.undo(row.x) for part in (data.train, data.valid, data.test) for row in part])
    assert_close(np.sort(every, axis=0), np.sort(raw, axis=0), 1e-5)
    assert not np.allclose(data.inputs.mean, raw.mean(axis=0))
    assert_close(np.std([row.target for row in data.train]), 1, 1e-6)


def test_a_feature_that_never_changes_is_left_at_0():
    found = Standardization.of([np.array([[0.1, 1.0], [0.1, 2.0]]), np.array([[0.1, 6.0]])])
    assert not found.apply(np.array([[0.1, 3.0]])).any()
    assert found.scale[0] == 1


@pytest.mark.parametrize("size", [1e-300, 1e-13, 1e200])
def test_how_large_a_feature_s_numbers_are_does_not_matter_to_what_is_standardised(size):
    rows = np.array([[1.0], [-2.0], [3.0]])
    found = Standardization.of([rows * size])
    assert_close(found.apply(rows * size), (rows - 2 / 3) / rows.std(), 1e-12)
    assert_close(found.undo(found.apply(rows * size)) / size, rows, 1e-12)


@pytest.mark.parametrize("column", ["value", "x"])
@pytest.mark.parametrize(("far", "by"), [("1e300", "1"), ("-1e39", "1"), ("1.7e308", "-1.7e308")])
def test_a_number_too_large_beside_the_training_series_is_named(column, far, by, tmp_path):
    lines = ["series,value,x,y", *(f"s{n},{by},{by},{n}" for n in range(4))]
    train = write(tmp_path, "train.csv", "\n".join(lines))
    other = write(tmp_path, "other.csv", f"series,{column},{'x' if column == 'value' else 'value'},y\ns,{far},{by},1\n")
    named = "value 0" if column == "value" else column
    with pytest.raises(ValueError, match="too far from the training series' mean") as refused:
        nb.series(train, train, other)
    assert f"other.csv: {named} is {float(far):g}, too far from" in str(refused.value)


@pytest.mark.parametrize("names", [["--5", "4"], ["5", "9" * 5000], ["a\u2028b", "c\x0bd"], ["-", "\x85"]])
def test_a_class_may_have_any_name(names, tmp_path):
    lines = [f"s{n},{names[n % 2]},{n}" for n in range(4)]
    path = tmp_path / "data.csv"
    path.write_text("\n".join(["series,class,x", *lines]), encoding="utf-8")
    assert nb.series(path, path, path).classes == sorted(names)


def test_parts_of_their_own_are_read_and_need_to_be_alike(tmp_path):
    train = write(tmp_path, "train.csv", CSV)
    data = nb.series(train, train, train)
    assert (len(data.train), len(data.valid), len(data.test), data.classes) == (2, 2, 2, ["rain", "sun"])
    for text, said in [
        (CSV.replace("sun", "snow"), "has class 'snow', which the training series lack"),
        (CSV.replace("warmth", "heat"), "has 2 features, heat, pressure; .* has 2, warmth, pressure"),
        ("series,class_per_step,warmth,pressure\na,b,1,2\n", "has class_per_step, and .* has class"),
    ]:
        with pytest.raises(ValueError, match=said):
            nb.series(train, write(tmp_path, "other.csv", text), train)
    with pytest.raises(ValueError, match="2 series are too few to hold some out; at least 3 are needed"):
        nb.series(train)


def test_whole_numbers_as_classes_are_in_their_order(tmp_path):
    x = np.zeros((4, 1, 1))
    path = write_npz(tmp_path, x=x, **{"class": np.array([10, 9, -1, 10])})
    data = nb.series(path, path, path)
    assert data.classes == ["-1", "9", "10"]
    assert [row.target for row in data.train] == [2, 1, 0, 2]


def test_japanese_vowels_come_with_aeon_and_its_absence_is_a_sentence(monkeypatch):
    monkeypatch.setattr(sys.modules["npbilstm.datasets.japanese_vowels"], "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"pip install 'npbilstm\[data\]'"):
        japanese_vowels()
