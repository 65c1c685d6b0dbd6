"""What people get wrong: a catalogue of mistakes, each a line of the textbook changed, and how one is planted.

planting    Bug, and plant: the textbook with some of its lines changed
catalogue/  the mistakes, a file for each concept of the textbook
"""

from npbilstm.mistakes.catalogue import BUGS
from npbilstm.mistakes.planting import Bug, plant

__all__ = ["BUGS", "Bug", "plant"]
