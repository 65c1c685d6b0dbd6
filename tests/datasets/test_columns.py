"""Which columns of a text hold words and tags, and what of it is no word; own lines in the forms that people have."""

import pytest

from npbilstm.datasets.columns import form_of, shape_of_lines, words_of, write_back

CONLL_2003 = """-DOCSTART- -X- -X- O

Oslo NNP B-NP B-LOC
sleeps VBZ B-VP O
. . O O

-DOCSTART- -X- O O

Ada NNP B-NP B-PER
"""
CONLLU = """# newdoc id = 1
# text = Vámonos al mar
1-2\tVámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tVamos\tir\tVERB\tV\t_\t0\troot\t_\t_
2\tnos\tnosotros\tPRON\tP\t_\t1\tobj\t_\t_
2.1\tnada\t_\tX\t_\t_\t_\t_\t_\t_
"""
PLUS = """# global.columns = ID FORM UPOS PARSEME:MWE
# text = give up
1\tgive\tVERB\t1:VPC
1.1\tit\tPRON\t*
2\tup\tADP\t1
"""
ONTONOTES = """#begin document (bc/a); part 000
bc/a 0 0 It PRP (S* -
bc/a 0 1 rains VBZ *) rain

bc/a 0 0 It PRP (S* - (V*
bc/a 0 1 snows VBZ *) snow *)
#end document
"""


def read(text, columns=None):
    return [
        None if word is None else word[1:]
        for word in words_of(text, "a.txt", form_of(shape_of_lines(text), "a.txt", columns))
    ]


def words(text, columns=None):
    return [word for word in read(text, columns) if word is not None]


@pytest.mark.parametrize(
    ("text", "columns", "expected"),
    [
        (CONLL_2003, (1, 4), [("Oslo", "B-LOC"), ("sleeps", "O"), (".", "O"), ("Ada", "B-PER")]),
        (CONLL_2003, (1, 2), [("Oslo", "NNP"), ("sleeps", "VBZ"), (".", "."), ("Ada", "NNP")]),
        (CONLLU, None, [("Vamos", "VERB"), ("nos", "PRON")]),
        (CONLLU, ("FORM", "xpos"), [("Vamos", "V"), ("nos", "P")]),
        (CONLLU, (2, 5), [("Vamos", "V"), ("nos", "P")]),
        (CONLLU, (3, "UPOS"), [("ir", "VERB"), ("nosotros", "PRON")]),
        (CONLLU.replace("\t", "  "), None, [("Vamos", "VERB"), ("nos", "PRON")]),
        (PLUS, None, [("give", "VERB"), ("up", "ADP")]),
        (PLUS, ("FORM", "PARSEME:MWE"), [("give", "1:VPC"), ("up", "1")]),
        (ONTONOTES, (4, 5), [("It", "PRP"), ("rains", "VBZ"), ("It", "PRP"), ("snows", "VBZ")]),
        ("a\tB\tx\nc\tD\n", (1, 2), None),
        ("B\ta\n", (2, 1), [("a", "B")]),
        ("0-4 Oslo LOC\n5-9 sleeps O\n", (2, 3), [("Oslo", "LOC"), ("sleeps", "O")]),
    ],
)
def test_any_two_columns_can_be_read(text, columns, expected):
    if expected is None:
        with pytest.raises(ValueError, match="a.txt, line 2: 2 columns; its sentence has 3"):
            words(text, columns)
    else:
        assert words(text, columns) == expected


def test_documents_are_parted_by_a_line_that_is_no_word():
    assert words("-DOCSTART-\tO\n\nOslo\tB-LOC\n-DOCSTART-\tO\nAda\tB-PER\n") == [("Oslo", "B-LOC"), ("Ada", "B-PER")]
    assert read("Oslo\tB-LOC\n-DOCSTART-\tO\nAda\tB-PER")[1] is None
    assert words("1\t-DOCSTART-\t_\tX" + "\t_" * 6 + "\n2\ta\t_\tDET" + "\t_" * 6) == [("a", "DET")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# doc-7\nOslo\tLOC\n", [("Oslo", "LOC")]),
        ("# text = a\tb\nOslo\tLOC\n", [("Oslo", "LOC")]),
        ("#7\tNUM\n#\tSYM\nOslo\tLOC\n", [("#7", "NUM"), ("#", "SYM"), ("Oslo", "LOC")]),
        ("# doc-7\t\nOslo\tLOC\n", [("Oslo", "LOC")]),
        ("# doc\t7\nOslo\tLOC\n", [("Oslo", "LOC")]),
        ("Oslo\tLOC\n# 1\tLOC\n", [("Oslo", "LOC"), ("# 1", "LOC")]),
        ("#\tSYM\nOslo\tLOC\n", [("#", "SYM"), ("Oslo", "LOC")]),
        ("# doc-7\nOslo LOC\n", [("Oslo", "LOC")]),
        ("Oslo LOC\n\n# doc-7\n# doc-8\nAda PER\n", [("Oslo", "LOC"), ("Ada", "PER")]),
        ("# NUM\n7 NUM\n", [("#", "NUM"), ("7", "NUM")]),
        ("about IN\n# #\n3 CD\n\n# #\n", [("about", "IN"), ("#", "#"), ("3", "CD"), ("#", "#")]),
        ("#happy HT\nday NN\n", [("#happy", "HT"), ("day", "NN")]),
        ("# a comment of words\nOslo LOC\n", [("Oslo", "LOC")]),
        ("# SYM\n", [("#", "SYM")]),
    ],
)
def test_a_line_with_a_hash_is_a_comment_where_it_is_no_word_with_its_tag(text, expected):
    assert words(text) == expected


def test_a_tag_may_be_empty_where_none_is_needed():
    text = "a\t\nb\t\n"
    form = form_of(shape_of_lines(text), "a.txt")
    with pytest.raises(ValueError, match="line 1: the tag is empty"):
        list(words_of(text, "a.txt", form))
    assert [word[1:] for word in words_of(text, "a.txt", form, need_tags=False) if word] == [("a", ""), ("b", "")]
    assert write_back(text, form, {1: "X", 2: "Y"}) == "a\tX\nb\tY\n"


def test_four_columns_with_a_comment_of_four_words():
    assert words("# sent_id = 1\nOslo NNP B-NP B-LOC\n", (1, 4)) == [("Oslo", "B-LOC")]


@pytest.mark.parametrize("word", ["\u3000", "\xa0", "\u2028", "\x85", "10\xa0000", "\u200b", "\ufeff"])
def test_white_space_that_is_not_asciis_is_a_word_or_part_of_one(word):
    for part in ("\t", " ", "  \t " if len(word) > 9 else "\t"):
        assert words(f"a{part}B\n\n{word}{part}O\n") == [("a", "B"), (word, "O")]


@pytest.mark.parametrize(
    "line", ["New York\tLOC", " New York \t LOC ", "New York\tLOC\t", "New York\tLOC\t\t \t", "New York\tLOC\x0c"]
)
def test_a_word_between_tabs_may_hold_blanks_and_those_around_it_do_not_count(line):
    assert words(f"{line}\nAda\tPER\n") == [("New York", "LOC"), ("Ada", "PER")]


def test_the_last_columns_of_conllu_may_be_empty_or_followed_by_tabs():
    line = "1\ta\ta\tDET" + "\t_" * 5
    assert words(f"{line}\t\n{line}\t_\t\n") == [("a", "DET")] * 2


def test_a_line_of_another_separator_is_not_read_as_if_it_were_of_this():
    with pytest.raises(ValueError, match="line 2: 1 column; the first line of data has 2"):
        words("Ada\tPER\nNew York\nOslo\tLOC\n")


@pytest.mark.parametrize(
    ("text", "columns", "sentence"),
    [
        (
            "EU NNP B-NP B-ORG\n",
            None,
            "line 1: 4 columns; it needs 2 (word, tag) or 10 (CoNLL-U), or --columns WORD,TAG",
        ),
        ("EU NNP B-NP B-ORG\n", None, "1 'EU', 2 'NNP', 3 'B-NP', 4 'B-ORG'"),
        ("\n# c\nEU\tNNP\tB-NP\n", None, "line 3: 3 columns; it needs 2"),
        ("a b\n", (1, 3), "line 1: there is no column 3 in 1 'a', 2 'b'"),
        ("a b c\n", (1, "UPOS"), "line 1: there is no column 'UPOS'; its columns have no names, but numbers: 1 'a'"),
        (CONLLU, ("FORM", "TAG"), "there is no column 'TAG'; the columns are ID, FORM, LEMMA"),
        (CONLLU, (2, "FORM"), "which is one column; a word and its tag need two"),
        ("a b c\n", (1, 1), "columns is (1, 1); the word and its tag need a column each"),
        ("a b c\n", (0, 1), "columns is (0, 1); columns are counted from 1"),
        ("a b c\n", (True, 1), "it needs the word's column and the tag's, e.g. 1,4 or FORM,UPOS"),
        ("a b c\n", "12", "columns is '12'; it needs the word's column"),
        ("a b c\nd e\n", (1, 3), "line 2: 2 columns; there is no column 3"),
        ("# global.columns = ID FORM XPOS\n1\ta\tD\n", None, "its columns are ID, FORM, XPOS, of which FORM and UPOS"),
        ("# global.columns = ID FORM UPOS X\n1\ta\tD\n", None, "line 2: 3 columns; the first line of data has 4"),
        (" ".join("abcdefghijklmnop"), None, "12 'l' ..."),
        (
            "dogs,NOUN\n",
            None,
            "1 column; it needs 2 (word, tag) or 10 (CoNLL-U), parted by tabs or blanks: 'dogs,NOUN'",
        ),
    ],
)
def test_columns_that_are_not_there_are_told_with_those_that_are(text, columns, sentence):
    with pytest.raises(ValueError, match="a.txt|columns is") as caught:
        words(text, columns)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (CONLL_2003, (1, 4)),
        (CONLLU + "\n", None),
        (CONLLU, (2, 5)),
        (PLUS, ("FORM", "PARSEME:MWE")),
        (ONTONOTES, (4, 5)),
        ("# doc\n\n\nOslo   LOC\n sleeps \t O  \n\n", None),
        ("New York\tLOC\t\n\u3000\tO\n", None),
    ],
)
def test_tags_are_written_back_and_nothing_else_changes(text, columns):
    form = form_of(shape_of_lines(text), "a.txt", columns)
    found = [word for word in words_of(text, "a.txt", form) if word is not None]
    same = write_back(text, form, {word.line: word.tag for word in found})
    assert same == text
    other = write_back(text, form, {word.line: "TAG" for word in found})
    assert [word[1:] for word in words_of(other, "a.txt", form) if word] == [(word.word, "TAG") for word in found]
    assert [line for line in other.split("\n") if "TAG" not in line] == [
        line for number, line in enumerate(text.split("\n"), 1) if number not in {word.line for word in found}
    ]


@pytest.mark.parametrize("tag", ["B LOC", "", "a\nb"])
def test_a_class_that_is_no_column_is_not_written(tag):
    form = form_of(shape_of_lines("a B\n"), "a.txt")
    with pytest.raises(ValueError, match="cannot stand in a column of this file"):
        write_back("a B\n", form, {1: tag})
