// gemm_tiled_flat: tiles of 32 rows, 4 a lane; 12 KiB of workgroup memory.
const lane_rows = 4u;
