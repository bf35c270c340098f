//! Medians and ratios.

use serde::Serialize;

/// One figure, measured once a round; in the order of the rounds.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub(super) struct Samples(Vec<f64>);

impl Samples {
    pub(super) fn of<T>(rounds: &[T], figure: impl Fn(&T) -> f64) -> Self {
        Self(rounds.iter().map(figure).collect())
    }

    /// Not a number without samples.
    pub(super) fn median(&self) -> f64 {
        median(&self.0)
    }

    pub(super) fn min(&self) -> f64 {
        self.0.iter().copied().fold(f64::NAN, f64::min)
    }

    pub(super) fn max(&self) -> f64 {
        self.0.iter().copied().fold(f64::NAN, f64::max)
    }

    /// How far the median may be from that of endless rounds: twice its standard error, which is
    /// about 1.25 of the mean's.
    pub(super) fn error(&self) -> f64 {
        let count = self.0.len() as f64;
        let mean = self.0.iter().sum::<f64>() / count;
        let squares: f64 = self.0.iter().map(|value| (value - mean).powi(2)).sum();
        2.0 * 1.25 * (squares / (count - 1.0) / count).sqrt()
    }

    /// The ratio within each round: what slows a whole round down cancels out.
    pub(super) fn over(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(this, that)| this / that).collect())
    }
}

/// The middle value, or the mean of the two in the middle.
pub(super) fn median(values: &[f64]) -> f64 {
    let half = values.len() / 2;
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.len() % 2, sorted.get(half)) {
        (1, Some(middle)) => *middle,
        (0, Some(upper)) => f64::midpoint(sorted[half - 1], *upper),
        _ => f64::NAN,
    }
}

/// The value that a share `q` (0 to 1) of the values does not exceed.
pub(super) fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (q * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle() {
        for (values, expected) in
            [(vec![3.0], 3.0), (vec![9.0, 1.0], 5.0), (vec![5.0, 1.0, 2.0], 2.0)]
        {
            assert!((median(&values) - expected).abs() < 1e-9, "{values:?}");
        }
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn the_error_of_a_median() {
        let error = |values: &[f64]| Samples(values.to_vec()).error();
        assert!(error(&[1.0, 1.0, 1.0]).abs() < 1e-9);
        // The standard deviation is 1, of three values.
        assert!((error(&[1.0, 2.0, 3.0]) - 2.5 / 3_f64.sqrt()).abs() < 1e-9);
        assert!(error(&[1.0]).is_nan());
    }

    #[test]
    fn the_tail() {
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert!((quantile(&hundred, 0.99) - 99.0).abs() < 1e-9);
        assert!((quantile(&[7.0], 0.99) - 7.0).abs() < 1e-9);
        assert!(quantile(&[], 0.5).is_nan());
    }

    #[test]
    fn ratios_are_of_the_same_round() {
        let ratio = Samples(vec![2.0, 40.0, 6.0]).over(&Samples(vec![1.0, 20.0, 2.0]));
        assert!((ratio.median() - 2.0).abs() < 1e-9);
        assert!((ratio.max() - 3.0).abs() < 1e-9);
    }
}
