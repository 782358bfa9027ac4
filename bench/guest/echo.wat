;; The smallest AgentZero plugin that really echoes: finds the argument "text" in the request, whatever stands around it,
;; and answers {"success":true,"output":…} with its JSON string as it came. Requests are compact JSON, as ours are.
(module
  (memory (export "memory") 1)
  (data (i32.const 16) "{\"success\":true,\"output\":")
  (data (i32.const 64) "{\"success\":false,\"error\":\"Missing argument \\\"text\\\"\"}")
  (global $top (mut i32) (i32.const 1024))

  (func $alloc (export "alloc") (param $bytes i32) (result i32)
    (local $pointer i32)
    (local $missing i32)
    (local.set $pointer (global.get $top))
    (global.set $top (i32.and (i32.add (i32.add (global.get $top) (local.get $bytes)) (i32.const 15)) (i32.const -16)))
    (local.set $missing (i32.sub (global.get $top) (i32.shl (memory.size) (i32.const 16))))
    (if (i32.gt_s (local.get $missing) (i32.const 0))
      (then
        (if (i32.lt_s (memory.grow (i32.shr_u (i32.add (local.get $missing) (i32.const 65535)) (i32.const 16))) (i32.const 0))
          (then (unreachable)))))
    (local.get $pointer))

  ;; From an opening quote to behind the closing one.
  (func $string_end (param $at i32) (result i32)
    (local $byte i32)
    (loop $next (result i32)
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $byte (i32.load8_u (local.get $at)))
      (if (i32.eq (local.get $byte) (i32.const 0x22)) (then (return (i32.add (local.get $at) (i32.const 1)))))
      (if (i32.eq (local.get $byte) (i32.const 0x5c)) (then (local.set $at (i32.add (local.get $at) (i32.const 1)))))
      (br $next)))

  ;; From the first byte of a member’s value to the "," or "}" behind it.
  (func $value_end (param $at i32) (result i32)
    (local $byte i32)
    (local $depth i32)
    (loop $next (result i32)
      (local.set $byte (i32.load8_u (local.get $at)))
      (if (i32.eq (local.get $byte) (i32.const 0x22))
        (then
          (local.set $at (call $string_end (local.get $at)))
          (br $next)))
      (if (i32.eqz (local.get $depth))
        (then
          (if (i32.or (i32.eq (local.get $byte) (i32.const 0x2c)) (i32.eq (local.get $byte) (i32.const 0x7d)))
            (then (return (local.get $at))))))
      ;; "[" and "{" differ in one bit, as do "]" and "}".
      (if (i32.eq (i32.or (local.get $byte) (i32.const 0x20)) (i32.const 0x7b))
        (then (local.set $depth (i32.add (local.get $depth) (i32.const 1)))))
      (if (i32.eq (i32.or (local.get $byte) (i32.const 0x20)) (i32.const 0x7d))
        (then (local.set $depth (i32.sub (local.get $depth) (i32.const 1)))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br $next)))

  (func $answer (param $value i32) (param $bytes i32) (result i64)
    (local $out i32)
    (local.set $out (call $alloc (i32.add (local.get $bytes) (i32.const 26))))
    (memory.copy (local.get $out) (i32.const 16) (i32.const 25))
    (memory.copy (i32.add (local.get $out) (i32.const 25)) (local.get $value) (local.get $bytes))
    (i32.store8 (i32.add (local.get $out) (i32.add (local.get $bytes) (i32.const 25))) (i32.const 0x7d))
    (i64.or
      (i64.shl (i64.extend_i32_u (local.get $out)) (i64.const 32))
      (i64.extend_i32_u (i32.add (local.get $bytes) (i32.const 26)))))

  (func (export "run") (param $request i32) (param $bytes i32) (result i64)
    (local $key i32)
    (local $value i32)
    (local $end i32)
    (local.set $key (i32.add (local.get $request) (i32.const 1)))
    (loop $next
      (local.set $value (i32.add (call $string_end (local.get $key)) (i32.const 1)))
      (local.set $end (call $value_end (local.get $value)))
      ;; "text" in little-endian order, with its quotes and the colon.
      (if (i32.eq (i32.sub (local.get $value) (local.get $key)) (i32.const 7))
        (then
          (if (i32.eq (i32.load (i32.add (local.get $key) (i32.const 1))) (i32.const 0x74786574))
            (then (return (call $answer (local.get $value) (i32.sub (local.get $end) (local.get $value))))))))
      (local.set $key (i32.add (local.get $end) (i32.const 1)))
      (br_if $next (i32.eq (i32.load8_u (local.get $end)) (i32.const 0x2c))))
    (i64.or (i64.shl (i64.const 64) (i64.const 32)) (i64.const 53))))
