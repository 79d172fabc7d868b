// The limit that the bench states speeds against: multiply and add on registers alone, compiled as the core is: two roundings,
// or one in the relaxed build. As many chains as hide the latency of both (10 or 12: two instructions of 3 to 4 cycles, 4 of
// them a cycle). How well the processor spreads them over its units depends on what the compiler makes of the loop: of Cascade Lake's 24.7 GFLOP/s
// the first form reads 24.7 on Node 20 and 21.4 on Node 24, the second 24.6 and 23.8; of Zen 4's 59.0 the first 59.0 and 47.4, the second 43 to 49, and the third, in which nothing
// waits for another result, 59.0 on both. The bench takes the third unless another is clearly faster.

// @ts-expect-error: decorator
@inline
function step(c: v128, b: v128, d: v128): v128 {
  if (RELAXED) return sizeof<real>() == 4 ? f32x4.relaxed_madd(c, b, d) : f64x2.relaxed_madd(c, b, d);
  return v128.add<real>(v128.mul<real>(c, b), d);
}

/** n times 1 turn of 12 chains c ← c·b + d, LANES·2 flops each; b in (0, 1) keeps all numbers normal. */
export function peak12(n: i32, b: real, d: real): real {
  const vb = v128.splat<real>(b), vd = v128.splat<real>(d);
  let c0 = vd, c1 = vd, c2 = vd, c3 = vd, c4 = vd, c5 = vd;
  let c6 = vd, c7 = vd, c8 = vd, c9 = vd, c10 = vd, c11 = vd;
  do {
    c0 = step(c0, vb, vd);
    c1 = step(c1, vb, vd);
    c2 = step(c2, vb, vd);
    c3 = step(c3, vb, vd);
    c4 = step(c4, vb, vd);
    c5 = step(c5, vb, vd);
    c6 = step(c6, vb, vd);
    c7 = step(c7, vb, vd);
    c8 = step(c8, vb, vd);
    c9 = step(c9, vb, vd);
    c10 = step(c10, vb, vd);
    c11 = step(c11, vb, vd);
  } while (--n);
  const s0 = v128.add<real>(v128.add<real>(c0, c1), v128.add<real>(c2, c3));
  const s1 = v128.add<real>(v128.add<real>(c4, c5), v128.add<real>(c6, c7));
  const s2 = v128.add<real>(v128.add<real>(c8, c9), v128.add<real>(c10, c11));
  return v128.extract_lane<real>(v128.add<real>(v128.add<real>(s0, s1), s2), 0);
}

/** n times 4 turns of 10 chains c ← c·b + d, LANES·2 flops each; b in (0, 1) keeps all numbers normal. */
export function peak10by4(n: i32, b: real, d: real): real {
  const vb = v128.splat<real>(b), vd = v128.splat<real>(d);
  let c0 = vd, c1 = vd, c2 = vd, c3 = vd, c4 = vd, c5 = vd;
  let c6 = vd, c7 = vd, c8 = vd, c9 = vd;
  do {
    c0 = step(c0, vb, vd);
    c1 = step(c1, vb, vd);
    c2 = step(c2, vb, vd);
    c3 = step(c3, vb, vd);
    c4 = step(c4, vb, vd);
    c5 = step(c5, vb, vd);
    c6 = step(c6, vb, vd);
    c7 = step(c7, vb, vd);
    c8 = step(c8, vb, vd);
    c9 = step(c9, vb, vd);
    c0 = step(c0, vb, vd);
    c1 = step(c1, vb, vd);
    c2 = step(c2, vb, vd);
    c3 = step(c3, vb, vd);
    c4 = step(c4, vb, vd);
    c5 = step(c5, vb, vd);
    c6 = step(c6, vb, vd);
    c7 = step(c7, vb, vd);
    c8 = step(c8, vb, vd);
    c9 = step(c9, vb, vd);
    c0 = step(c0, vb, vd);
    c1 = step(c1, vb, vd);
    c2 = step(c2, vb, vd);
    c3 = step(c3, vb, vd);
    c4 = step(c4, vb, vd);
    c5 = step(c5, vb, vd);
    c6 = step(c6, vb, vd);
    c7 = step(c7, vb, vd);
    c8 = step(c8, vb, vd);
    c9 = step(c9, vb, vd);
    c0 = step(c0, vb, vd);
    c1 = step(c1, vb, vd);
    c2 = step(c2, vb, vd);
    c3 = step(c3, vb, vd);
    c4 = step(c4, vb, vd);
    c5 = step(c5, vb, vd);
    c6 = step(c6, vb, vd);
    c7 = step(c7, vb, vd);
    c8 = step(c8, vb, vd);
    c9 = step(c9, vb, vd);
  } while (--n);
  const s0 = v128.add<real>(v128.add<real>(c0, c1), v128.add<real>(c2, c3));
  const s1 = v128.add<real>(v128.add<real>(c4, c5), v128.add<real>(c6, c7));
  const s2 = v128.add<real>(c8, c9);
  return v128.extract_lane<real>(v128.add<real>(v128.add<real>(s0, s1), s2), 0);
}

/** n times 6 products p ← p·b beside 6 sums s ← s + d, LANES flops each, of which none waits for another; b = 1 keeps all numbers normal. */
export function peak6and6(n: i32, b: real, d: real): real {
  const vb = v128.splat<real>(b), vd = v128.splat<real>(d);
  let p0 = vd, p1 = vd, p2 = vd, p3 = vd, p4 = vd, p5 = vd;
  let s0 = vd, s1 = vd, s2 = vd, s3 = vd, s4 = vd, s5 = vd;
  do {
    p0 = v128.mul<real>(p0, vb);
    p1 = v128.mul<real>(p1, vb);
    s0 = v128.add<real>(s0, vd);
    s1 = v128.add<real>(s1, vd);
    p2 = v128.mul<real>(p2, vb);
    p3 = v128.mul<real>(p3, vb);
    s2 = v128.add<real>(s2, vd);
    s3 = v128.add<real>(s3, vd);
    p4 = v128.mul<real>(p4, vb);
    p5 = v128.mul<real>(p5, vb);
    s4 = v128.add<real>(s4, vd);
    s5 = v128.add<real>(s5, vd);
  } while (--n);
  const p = v128.add<real>(v128.add<real>(v128.add<real>(p0, p1), v128.add<real>(p2, p3)), v128.add<real>(p4, p5));
  const s = v128.add<real>(v128.add<real>(v128.add<real>(s0, s1), v128.add<real>(s2, s3)), v128.add<real>(s4, s5));
  return v128.extract_lane<real>(v128.add<real>(p, s), 0);
}
