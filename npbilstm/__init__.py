"""npbilstm: bidirectional LSTMs in plain NumPy, to read, run, check and learn from.

    import npbilstm as nb

    layer = nb.BiLSTM(input_size=3, hidden_size=4)
    y, (h_n, c_n), cache = layer.forward(x, lengths, training=True)
    dx, grads, (dh_0, dc_0) = layer.backward(dy, cache)
    nb.check_gradients(loss, params, grads)
    nb.diagnose(my_module)
    nb.trace(layer, x, lengths, dy).explain(direction="reverse", step=5, unit=3)

textbook/   the mathematics, one equation per line: start reading here
engine/     the same, fast
layers/     parameters and an engine: LSTM, BiLSTM, GRU, RNN, Linear, Embedding, Dropout
models/     whole models made of them, and heads: what scores are for
gradcheck/  is this gradient right?
mistakes/   what people get wrong: the catalogue, and how a mistake is planted
submission/ somebody's own code, called in its own way
diagnosis/  what is wrong with it?
classroom/  for exercises; there are none yet
training/   optimizers, the loop, checkpoints
interop/    weights from and to PyTorch, Keras and ONNX
datasets/   Python source code and tagged text
inspector/  what happens inside: every number of a run, one unit's equations, the page; tagged text in colour

The public names stand in __init__.pyi. Each room is imported when one of its names is first used, so that
`import npbilstm` costs next to nothing.
"""

from npbilstm.lazy import lazy

__version__ = "0.7.0"
__getattr__, __dir__ = lazy(__name__, __file__)
