"""Text from elsewhere steers nothing, and is no longer than it may be."""

import sys
import unicodedata

import pytest

from npbilstm.printable import cut, in_lines, one_line, printable

STEERS = {"Cc", "Cs"}


@pytest.mark.slow
def test_every_character_stays_that_only_stands_in_a_text():
    for number in range(sys.maxunicode + 1):
        c = chr(number)
        steers = unicodedata.category(c) in STEERS or unicodedata.bidirectional(c) in {
            *("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
        }
        assert printable(c) == ("\ufffd" if (steers and c not in "\n\t") or c in "\u061c\u200e\u200f" else c)


def test_a_word_may_hold_a_separator_of_lines_and_a_sentence_may_not():
    assert printable("a\u2028b\u2029\n") == "a\u2028b\u2029\n"
    assert in_lines("a\u2028b\u2029\n\x1b") == "a\ufffdb\ufffd\n\ufffd"
    assert one_line("a\u2028b", 9) == "a\ufffdb"


def test_a_text_is_cut_and_says_so():
    assert cut("abc", 3) == "abc"
    assert cut("abcd" * 1000, 3) == "abc ... (3,997 more characters)"
    assert one_line("a\n\x1b\tb" + "c" * 10, 6) == "a \ufffd bc ... (9 more characters)"
