"""Quantity names: what people call the quantities of a step, and what the textbook does."""

from __future__ import annotations

import re

LSTM = {
    "i": "i in input input_gate update u in_gate ig write",
    "f": "f forget forget_gate fg keep",
    "g": "g cc c_tilde ctilde candidate cand c_bar cbar c_hat chat cell_gate c_candidate gg g_gate n",
    "o": "o out output_gate out_gate og",
    "c": "c cell cell_state c_state",
    "tanh_c": "tanh_c tanhc c_tanh tc",
    "h": "h a hidden hidden_state h_state",
}
GRU = {
    "r": "r reset reset_gate rg",
    "z": "z u update update_gate zg",
    "n": "n h_tilde htilde h_hat hhat candidate cand hh g h_bar new_gate c",
    "q": "q inner",
    "h": "h a hidden hidden_state h_state s",
}
RNN = {"a": "a z pre before raw net", "h": "h s hidden hidden_state state"}
CELLS = {"lstm": LSTM, "gru": GRU, "step": RNN, "rnn": RNN}
AROUND = r"(?:(?:next|new|cur|current)_)?(\w+?)(?:_?(?:next|new|cur|now)|_t|(?<=[a-z])t|_gate)?"
"""What stands before and behind a name and changes nothing."""


def meaning_of(name: str, function: str) -> str:
    """The textbook's name for what is called so in a step; "" for what is not known. function: the textbook's step."""
    cell = CELLS[function.partition("_")[0]]
    plain = name.strip("_").lower()
    found = re.fullmatch(AROUND, plain)
    for each in (plain, found[1] if found else plain):
        for quantity, names in cell.items():
            if each in names.split():
                return quantity
    return ""
