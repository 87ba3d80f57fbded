// gelu(x) = x/2 * (1 + erf(x / sqrt 2)), the exact form (Hendrycks & Gimpel 2016).
// The tanh approximation is off by up to 5e-4, which changes tokens. erf(x) = x P(x^2) / Q(x^2) on [-4, 4], the rational minimax
// approximation that Eigen uses for f32: |error| < 5e-7, and no exp, which is off by 3.5e-6 on software adapters.
fn erf(value: f32) -> f32 {
  let x = clamp(value, -4.0, 4.0);
  let z = x * x;
  var p = -2.72614225801306e-10;
  p = p * z + 2.77068142495902e-08;
  p = p * z - 2.10102402082508e-06;
  p = p * z - 5.69250639462346e-05;
  p = p * z - 7.34990630326855e-04;
  p = p * z - 2.95459980854025e-03;
  p = p * z - 1.60960333262415e-02;
  var q = -1.45660718464996e-05;
  q = q * z - 2.13374055278905e-04;
  q = q * z - 1.68282697438203e-03;
  q = q * z - 7.37332916720468e-03;
  q = q * z - 1.42647390514189e-02;
  return x * p / q;
}

fn gelu(x: f32) -> f32 {
  return 0.5 * x * (1.0 + erf(x * 0.70710678118654752));
}
