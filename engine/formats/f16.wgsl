// weight = unpack2x16float(word): weights in f16, packed two to a u32, low half first.
// No shader-f16, which NVIDIA and SwiftShader lack.
alias Weight4 = vec2<u32>;
fn unpack_weight(w: Weight4) -> vec4<f32> { return vec4<f32>(unpack2x16float(w.x), unpack2x16float(w.y)); }
