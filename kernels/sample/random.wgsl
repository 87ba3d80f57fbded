// words = Philox4x32-10(counter, seed) (Salmon et al. 2011): random numbers without state, a bijection of a 128-bit counter.
// The same counter gives the same four words in any order of lanes and on any adapter. The counter of a draw is (id / 4, step, row,
// stage), and id % 4 picks the word, so that four ids pay for the rounds once.

// The 64-bit product of two u32 as (high, low); WGSL has no 64-bit integers.
fn multiply_wide(a: u32, b: u32) -> vec2<u32> {
  let a_low = a & 0xffffu; let a_high = a >> 16u;
  let b_low = b & 0xffffu; let b_high = b >> 16u;
  let low = a_low * b_low;
  let middle = a_high * b_low + (low >> 16u);
  let cross = a_low * b_high + (middle & 0xffffu);
  return vec2<u32>(a_high * b_high + (middle >> 16u) + (cross >> 16u), a * b);
}

fn philox(start: vec4<u32>, seed: vec2<u32>) -> vec4<u32> {
  var counter = start;
  var key = seed;
  for (var round = 0u; round < 10u; round++) {
    let first = multiply_wide(0xd2511f53u, counter.x);
    let second = multiply_wide(0xcd9e8d57u, counter.z);
    counter = vec4<u32>(second.x ^ counter.y ^ key.x, second.y, first.x ^ counter.w ^ key.y, first.y);
    key += vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
  }
  return counter;
}

// log of exponential variates E = -log(u): argmax(logit - log E) then is distributed as softmax(logit) (the Gumbel-max
// trick; equals torch.multinomial's argmax(p / E)). u = (bits + 0.5) / 2^24 is never 0 or 1. Near 1, log(u) has an absolute error
// of 2^-21 in WGSL, more than its value, and could even come out positive: there the series of -log(1 - d) is used.
fn log_exponential(bits: vec4<u32>) -> vec4<f32> {
  let whole = bits >> vec4<u32>(8u);
  let rest = (vec4<f32>(vec4<u32>(0xffffffu) - whole) + 0.5) / 16777216.0;
  let series = rest * (1.0 + rest * (0.5 + rest * (1.0 / 3.0 + rest * 0.25)));
  let exponential = select(-log((vec4<f32>(whole) + 0.5) / 16777216.0), series, rest < vec4<f32>(0.03125));
  return log(exponential);
}
