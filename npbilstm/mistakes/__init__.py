"""What people get wrong: a catalogue of mistakes, each a line of the textbook changed, and how one is planted.

planting    Bug, and plant: the textbook with some of its lines changed
catalogue/  the mistakes, a file for each concept of the textbook
exhibit     one that was made in public, as code: the files of exhibits/
"""

from npbilstm.mistakes.catalogue import BUGS
from npbilstm.mistakes.catalogue.constant_clips import clipped_to
from npbilstm.mistakes.planting import Bug, plant

__all__ = ["BUGS", "Bug", "clipped_to", "plant"]
