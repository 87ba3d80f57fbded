// weight = vec4<f32>: weights in f32, four neighbouring values a vec4.
alias Weight4 = vec4<f32>;
fn unpack_weight(w: Weight4) -> vec4<f32> { return w; }
