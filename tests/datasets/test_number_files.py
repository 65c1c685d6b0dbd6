"""Numbers for a layer to read, from files: what each layout says is read, and what is none is named."""

import numpy as np
import pytest

from npbilstm.datasets.number_files import read_numbers

X = np.arange(12.0).reshape(2, 3, 2)


def lists(rows):
    return [row.tolist() for row in rows]


def write(path, text):
    path.write_text(text)
    return str(path)


def npy(path, array):
    np.save(path, array)
    return str(path)


def test_arrays_are_read_as_batches_rows_or_single_features(tmp_path):
    assert lists(read_numbers(npy(tmp_path / "x.npy", X))) == X.tolist()
    assert lists(read_numbers(npy(tmp_path / "x.npy", np.asfortranarray(X[0])))) == [X[0].tolist()]
    assert lists(read_numbers(npy(tmp_path / "x.npy", np.array([1, 2])))) == [[[1.0], [2.0]]]
    assert lists(read_numbers(npy(tmp_path / "x.npy", np.array([[1, 2]])), ids=True)) == [[1, 2]]
    np.savez(tmp_path / "x.npz", x=X, lengths=[1, 3], other=X)
    assert lists(read_numbers(str(tmp_path / "x.npz"))) == [X[0, :1].tolist(), X[1].tolist()]
    np.savez(tmp_path / "x.npz", anything=X[0])
    assert lists(read_numbers(str(tmp_path / "x.npz"))) == [X[0].tolist()]


def test_tables_are_read_with_names_or_without_and_as_series(tmp_path):
    assert lists(read_numbers(write(tmp_path / "a.csv", "a,b\n1,2\n\n3,4\n"))) == [[[1, 2], [3, 4]]]
    assert lists(read_numbers(write(tmp_path / "a.csv", "1\n-2.5\n"))) == [[[1], [-2.5]]]
    assert lists(read_numbers(write(tmp_path / "a.csv", "1\n2\n"), ids=True)) == [[1, 2]]
    series = "series,class,a,b\nx,u,1,2\nx,u,3,4\ny,v,5,6\n"
    assert lists(read_numbers(write(tmp_path / "a.csv", series))) == [[[1, 2], [3, 4]], [[5, 6]]]


@pytest.mark.parametrize(
    ("name", "content", "ids", "sentence"),
    [
        ("a.csv", "a,b\n1,x\n", False, "a.csv, line 2, column 'b': 'x' is no finite number"),
        ("a.csv", "1,2\n1\n", False, "a.csv, line 2: 1 fields; the first line has 2"),
        ("a.csv", "1,2\n", True, "a.csv: the model reads symbols; it needs one column of whole numbers"),
        ("a.csv", "1.5\n", True, "a.csv: the model reads symbols"),
        ("a.txt", "1\n", False, "a.txt is no file of numbers; its name needs to end in .npy, .npz, .csv, .ts"),
        ("a.npy", "1\n", False, "a.npy is damaged or cut short: "),
        (
            "a.npy",
            np.zeros((2, 2, 2, 2)),
            False,
            r"a.npy: x has shape \(2, 2, 2, 2\) and dtype float64; it needs numbers",
        ),
        ("a.npy", np.zeros((2, 2), complex), False, "and dtype complex128; it needs numbers"),
        ("a.npy", np.zeros(2), True, r"dtype float64; it needs whole numbers \(T,\) or \(N, T\)"),
        ("a.npy", np.array([{}]), False, "a.npy is damaged or cut short: Object arrays cannot be loaded"),
        ("a.npz", {"a": X, "b": X}, False, "a.npz holds 'a', 'b'; it needs x, or one array"),
        ("a.npz", {"x": X, "lengths": [9, 9]}, False, r"a.npz: lengths\[0\] is 9"),
    ],
)
def test_what_holds_no_such_numbers_is_a_sentence(name, content, ids, sentence, tmp_path):
    path = tmp_path / name
    if isinstance(content, str):
        path.write_text(content)
    elif isinstance(content, dict):
        np.savez(path, **content)
    else:
        np.save(path, content, allow_pickle=True)
    with pytest.raises(ValueError, match=sentence):
        read_numbers(str(path), ids)


def test_an_npy_file_that_says_more_than_it_holds_takes_no_memory(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.zeros(3))
    path.write_bytes(path.read_bytes().replace(b"(3,), }        ", b"(300000000,), }"))
    with pytest.raises(
        ValueError,
        match=r"a.npy is damaged or cut short: it is said to be float64 of shape \(300000000,\); it has 24 bytes",
    ):
        read_numbers(str(path))
