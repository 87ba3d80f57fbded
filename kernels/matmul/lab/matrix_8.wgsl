// gemm_matrix_8: matrices of 8 x 8 in f16, four a subgroup, as lavapipe has them from Mesa 26 on; 12 KiB of workgroup memory.
alias Factor = f16;
const M = 8u;
const N = 8u;
const K = 8u;
const tile_rows = 64u;
const matrices_down = 2u;
const matrices_across = 2u;
