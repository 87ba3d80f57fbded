// The first text of every kernel that declares this feature: WGSL allows no declaration before it.
enable subgroups;
