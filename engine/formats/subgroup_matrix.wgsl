// The first text of every kernel that declares this feature.
enable chromium_experimental_subgroup_matrix;
