"""Step 0. Cut the teacher (hibari-tts "heart", one ONNX graph) in two: ids -> real-valued durations | ids and chosen durations -> spectral parts and F0.
usage: split_onnx.py   writes voice_a.onnx, voice_b.onnx"""
import os, onnx, hibari
from onnx import helper, TensorProto as TP
src = os.path.join(os.path.dirname(hibari.__file__), 'assets', 'hibari.onnx')
def keep(m, outs):
    g = m.graph; by = {o: n for n in g.node for o in n.output}; need, ok = [o.name for o in outs], set()
    while need:
        n = by.get(need.pop())
        if n is None or id(n) in ok: continue
        ok.add(id(n)); need += list(n.input)
    nodes = [n for n in g.node if id(n) in ok]; used = {i for n in nodes for i in n.input}
    G = helper.make_graph(nodes, 'g', [i for i in g.input if i.name in used], outs, [i for i in g.initializer if i.name in used]); M = helper.make_model(G, opset_imports=m.opset_import); M.ir_version = m.ir_version; return M
m = onnx.load(src); onnx.save(keep(m, [helper.make_tensor_value_info('/Div_40_output_0', TP.FLOAT, None)]), 'voice_a.onnx')
m = onnx.load(src); n = next(n for n in m.graph.node if n.name == '/Cast_32'); n.input[0] = 'durs'; m.graph.input.append(helper.make_tensor_value_info('durs', TP.FLOAT, ['L'])); onnx.save(keep(m, list(m.graph.output)), 'voice_b.onnx')
