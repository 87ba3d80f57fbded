// The first text of every kernel that declares shader-f16.
enable f16;
