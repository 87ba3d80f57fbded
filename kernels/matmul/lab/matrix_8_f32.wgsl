// gemm_matrix_f32: matrices of 8 x 8 in f32, eight a subgroup, as Apple's GPUs have them; 13 KiB of workgroup memory.
alias Factor = f32;
const M = 8u;
const N = 8u;
const K = 8u;
const tile_rows = 32u;
const matrices_down = 2u;
const matrices_across = 4u;
