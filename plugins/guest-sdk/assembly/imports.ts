// The ten functions of the host, as the ABI has them: texts cross as pointer and length of UTF-8,
// results come back packed as (pointer << 32 | length), or -1. Plugins use az.ts instead.

@external("az", "read_file")
export declare function read_file(path: usize, pathBytes: i32): i64;

@external("az", "write_file")
export declare function write_file(path: usize, pathBytes: i32, content: usize, contentBytes: i32): i32;

@external("az", "append_file")
export declare function append_file(path: usize, pathBytes: i32, content: usize, contentBytes: i32): i32;

@external("az", "list_dir")
export declare function list_dir(path: usize, pathBytes: i32): i64;

@external("az", "create_dir")
export declare function create_dir(path: usize, pathBytes: i32): i32;

@external("az", "file_exists")
export declare function file_exists(path: usize, pathBytes: i32): i32;

@external("az", "now")
export declare function now(): i64;

@external("az", "log")
export declare function log(message: usize, messageBytes: i32): void;

@external("az", "http_request")
export declare function http_request(
  url: usize,
  urlBytes: i32,
  method: usize,
  methodBytes: i32,
  headers: usize,
  headersBytes: i32,
  body: usize,
  bodyBytes: i32,
): i64;

@external("az", "run_command")
export declare function run_command(command: usize, commandBytes: i32, args: usize, argsBytes: i32): i64;
