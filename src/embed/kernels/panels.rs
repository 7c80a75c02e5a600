//! Packs keys and values into the panels of attention's products; they change with each text, unlike weights.

use super::tile::{LANES, Step};
use super::words::{Matrix, pair};
use super::{Precision, widened};

/// Side of the blocks that are transposed at once.
const SIDE: usize = 8;

widened! {
    /// Packs rows as the columns of panels of `steps` steps each. Not for int8, whose columns have scales.
    panels_of_rows(precision: Precision, rows: Matrix<'_>, steps: usize, panels: &mut [Step]), rows_panelled
}

#[inline(always)]
fn rows_panelled<A>(precision: Precision, rows: Matrix<'_>, steps: usize, panels: &mut [Step]) {
    for (panel, first) in panels.chunks_exact_mut(steps).zip((0..).step_by(LANES)) {
        for (at, lines) in panel.chunks_mut(SIDE).enumerate() {
            for lane in (0..LANES).step_by(SIDE) {
                let mut block = [[0; SIDE]; SIDE];
                for (words, row) in block.iter_mut().zip(first + lane..) {
                    if precision == Precision::F32 {
                        *words = bits(rows.some(row, at * SIDE));
                    } else {
                        let numbers = rows.some::<{ 2 * SIDE }>(row, at * 2 * SIDE);
                        for word in 0..SIDE {
                            words[word] = pair(numbers[2 * word], numbers[2 * word + 1]);
                        }
                    }
                }
                for (line, words) in lines.iter_mut().zip(transpose_8x8(block)) {
                    line.0[lane..lane + SIDE].copy_from_slice(&words);
                }
            }
        }
    }
}

#[inline(always)]
fn bits<const N: usize>(numbers: [f32; N]) -> [u32; N] {
    let mut bits = [0; N];
    for lane in 0..N {
        bits[lane] = numbers[lane].to_bits();
    }
    bits
}

/// Transposes a block in three rounds of a perfect shuffle.
#[inline(always)]
fn transpose_8x8(mut block: [[u32; SIDE]; SIDE]) -> [[u32; SIDE]; SIDE] {
    const HALF: usize = SIDE / 2;
    for _ in 0..SIDE.ilog2() {
        let from = block;
        for at in 0..HALF {
            for lane in 0..SIDE {
                block[2 * at][lane] = from[at + HALF * (lane % 2)][lane / 2];
                block[2 * at + 1][lane] = from[at + HALF * (lane % 2)][HALF + lane / 2];
            }
        }
    }
    block
}

widened! {
    /// Packs columns as the columns of panels of `steps` steps each; like [`panels_of_rows`], not for int8.
    panels_of_columns(precision: Precision, matrix: Matrix<'_>, steps: usize, panels: &mut [Step]), columns_panelled
}

#[inline(always)]
fn columns_panelled<A>(precision: Precision, matrix: Matrix<'_>, steps: usize, panels: &mut [Step]) {
    for (panel, first) in panels.chunks_exact_mut(steps).zip((0..).step_by(LANES)) {
        for (step, Step(words)) in panel.iter_mut().enumerate() {
            if precision == Precision::F32 {
                *words = bits(matrix.some(step, first));
                continue;
            }
            let (low, high) = (matrix.some::<LANES>(2 * step, first), matrix.some::<LANES>(2 * step + 1, first));
            for lane in 0..LANES {
                words[lane] = pair(low[lane], high[lane]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::kernels::under_each;
    use crate::embed::kernels::words::words;

    #[test]
    fn panels_hold_the_words_of_rows_and_of_columns() {
        let mut random = fastrand::Rng::with_seed(13);
        under_each(|instructions| {
            for _ in 0..200 {
                let precision = if random.bool() { Precision::F32 } else { Precision::Bf16 };
                let (rows, columns) = (random.usize(1..100), random.usize(1..100));
                let stride = columns + random.usize(0..20);
                let numbers: Vec<f32> = (0..rows * stride).map(|_| random.f32() - 0.5).collect();
                let transposed: Vec<f32> = (0..columns * rows).map(|at| numbers[at % rows * stride + at / rows]).collect();
                let steps = columns.div_ceil(precision.values_per_word()) + random.usize(0..20);
                let mut expected = vec![0; rows * steps];
                let matrix = Matrix { numbers: &numbers, stride, rows, columns };
                words(precision, matrix, &mut expected, steps, &mut vec![0.0; rows]);
                let transposed = Matrix { numbers: &transposed, stride: rows, rows: columns, columns: rows };
                let mut made =
                    [vec![Step([7; LANES]); rows.div_ceil(LANES) * steps], vec![Step([7; LANES]); rows.div_ceil(LANES) * steps]];
                panels_of_rows(precision, matrix, steps, &mut made[0]);
                panels_of_columns(precision, transposed, steps, &mut made[1]);
                for panels in made {
                    for row in 0..rows.next_multiple_of(LANES) {
                        for step in 0..steps {
                            let word = panels[row / LANES * steps + step].0[row % LANES];
                            let expected = if row < rows { expected[row * steps + step] } else { 0 };
                            assert_eq!(word, expected, "{instructions:?} {precision:?} {rows}×{columns}: {row}, {step}");
                        }
                    }
                }
            }
        });
    }
}
