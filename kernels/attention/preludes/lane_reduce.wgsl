// max and sum over the 256 lanes of a workgroup, in two levels of 16; every lane gets the result.
const lanes = 256u;
struct Lane { @builtin(local_invocation_index) index: u32 }
var<workgroup> partial: array<f32, lanes>;

fn max_over_lanes(lane: Lane, value: f32) -> f32 {
  partial[lane.index] = value;
  workgroupBarrier();
  var most = value;
  if (lane.index % 16u == 0u) {
    for (var i = 1u; i < 16u; i++) { most = max(most, partial[lane.index + i]); }
    partial[lane.index] = most;
  }
  workgroupBarrier();
  for (var i = 0u; i < lanes; i += 16u) { most = max(most, partial[i]); }
  workgroupBarrier();
  return most;
}

fn sum_over_lanes(lane: Lane, value: f32) -> f32 {
  partial[lane.index] = value;
  workgroupBarrier();
  if (lane.index % 16u == 0u) {
    var sum = value;
    for (var i = 1u; i < 16u; i++) { sum += partial[lane.index + i]; }
    partial[lane.index] = sum;
  }
  workgroupBarrier();
  var total = 0.0;
  for (var i = 0u; i < lanes; i += 16u) { total += partial[i]; }
  workgroupBarrier();
  return total;
}
