// expm1(x) = e^x - 1 for |x| <= 80 (clamped); elu, sigmoid and tanh follow from it.
// e^x = 2^n e^r with |r| <= ln(2)/2, and e^r - 1 by its Taylor polynomial of degree 7 (error 2e-8), so that x near 0 keeps its
// relative precision: exp(x) - 1 would lose all digits there, and the built-in exp is off by up to 3.5e-6 on software adapters.
// 2^n comes from bits: n + 1.5 * 2^23 holds the integer n in its low bits. i32(n) has to saturate, which lavapipe does lane by
// lane.
fn expm1(value: f32) -> f32 {
  let x = clamp(value, -80.0, 80.0);
  let n = round(x * 1.44269504);
  let r = (x - n * 0.693359375) + n * 2.12194440e-4;
  var p = 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  p = p * r * r + r;
  let scale = bitcast<f32>((bitcast<u32>(n + 12582912.0) + 127u) << 23u);
  return scale * p + (scale - 1.0);
}

// elu(x) = x for x > 0, else e^x - 1 (Clevert et al. 2015, alpha 1).
fn elu(x: f32) -> f32 { return select(expm1(min(x, 0.0)), x, x > 0.0); }

fn sigmoid(x: f32) -> f32 { return 1.0 / (2.0 + expm1(-x)); }

// tanh(x) = (e^2x - 1) / (e^2x + 1). The built-in tanh is NaN for |x| > 88 on SwiftShader; here the argument is clamped.
fn tanh_clamped(x: f32) -> f32 {
  let e = expm1(2.0 * clamp(x, -15.0, 15.0));
  return e / (e + 2.0);
}
