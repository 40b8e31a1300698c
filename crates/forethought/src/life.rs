//! What the lives of agents with a metabolism came to. Read first: [`Life`], then [`Lives`].

use forethought_interface::{Death, Vitals};
use serde::{Deserialize, Serialize};

/// One agent's life in one episode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Life {
    /// Control steps that it was alive after.
    pub steps: u32,
    /// Its energy as a share of what it can store: the mean over these steps.
    pub mean_energy: f64,
    /// The same, the least.
    pub least_energy: f64,
    /// Its least health, of 1.
    pub least_health: f64,
    /// Health that it lost in all, of 1; more than 1 where some came back.
    pub harm: f64,
    /// Items eaten.
    pub meals: u32,
    /// What it died of; none where it lived to the end.
    pub died_of: Option<Death>,
}

impl Default for Life {
    /// Before the first step.
    fn default() -> Self {
        Self { steps: 0, mean_energy: 0.0, least_energy: 1.0, least_health: 1.0, harm: 0.0, meals: 0, died_of: None }
    }
}

impl Life {
    /// Count one control step of `period_s` seconds.
    pub fn count(&mut self, vitals: &Vitals, period_s: f64) {
        if self.died_of.is_some() {
            return;
        }
        let [energy, health] = [vitals.energy, vitals.health].map(f64::from);
        self.harm += f64::from(vitals.harm_per_s) * period_s;
        self.least_energy = self.least_energy.min(energy);
        self.least_health = self.least_health.min(health);
        (self.meals, self.died_of) = (vitals.meals, vitals.died_of);
        if vitals.alive() {
            self.steps += 1;
            self.mean_energy += (energy - self.mean_energy) / f64::from(self.steps);
        }
    }
}

/// The lives of a batch.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lives {
    /// The energy as a share of what can be stored: the mean over all steps of all lives.
    pub mean_energy: f64,
    /// Items eaten in a life, on average.
    pub meals_per_life: f64,
    /// Health lost in a life, on average.
    pub harm_per_life: f64,
    /// Control steps of a life, on average.
    pub steps_per_life: f64,
    /// Lives that ended with an empty store.
    pub starved: u64,
    /// Lives that ended by harm.
    pub hurt: u64,
    /// Lives that went on to the episode's end.
    pub survived: u64,
}

/// The lives of a batch as they end.
#[derive(Debug, Clone, Default)]
pub struct LivesTotal {
    lives: u64,
    /// Energy, meals and harm, summed over steps or lives.
    energy: f64,
    meals: f64,
    harm: f64,
    steps: f64,
    starved: u64,
    hurt: u64,
    survived: u64,
}

impl LivesTotal {
    /// Count one more.
    pub fn count(&mut self, life: &Life) {
        self.lives += 1;
        self.energy += life.mean_energy * f64::from(life.steps);
        self.meals += f64::from(life.meals);
        self.harm += life.harm;
        self.steps += f64::from(life.steps);
        match life.died_of {
            Some(Death::Starved) => self.starved += 1,
            Some(Death::Hurt) => self.hurt += 1,
            None => self.survived += 1,
        }
    }

    /// The numbers of these lives; none without any.
    #[must_use]
    pub fn lives(&self) -> Option<Lives> {
        let count = self.lives as f64;
        (self.lives > 0).then(|| Lives {
            mean_energy: self.energy / self.steps.max(1.0),
            meals_per_life: self.meals / count,
            harm_per_life: self.harm / count,
            steps_per_life: self.steps / count,
            starved: self.starved,
            hurt: self.hurt,
            survived: self.survived,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vitals(energy: f32, health: f32, harm_per_s: f32, died_of: Option<Death>) -> Vitals {
        Vitals { energy_j: 100.0 * energy, energy, health, harm_per_s, effort: 0.0, meals: 3, died_of }
    }

    #[test]
    fn a_life_is_counted_to_its_end() {
        let mut life = Life::default();
        life.count(&vitals(0.6, 1.0, 0.0, None), 0.1);
        life.count(&vitals(0.4, 0.5, 5.0, None), 0.1);
        let dead = vitals(0.3, 0.0, 5.0, Some(Death::Hurt));
        life.count(&dead, 0.1);
        life.count(&dead, 0.1);
        assert_eq!((life.steps, life.meals, life.died_of), (2, 3, Some(Death::Hurt)));
        let near = |a: f64, b: f64| (a - b).abs() < 1e-6;
        assert!(near(life.mean_energy, 0.5) && near(life.least_energy, 0.3), "{life:?}");
        assert!(near(life.least_health, 0.0) && near(life.harm, 1.0), "{life:?}");

        let mut other = Life::default();
        (0..6).for_each(|_| other.count(&vitals(0.9, 1.0, 0.0, None), 0.1));
        let mut total = LivesTotal::default();
        [&life, &other].into_iter().for_each(|life| total.count(life));
        let lives = total.lives().unwrap();
        assert!(near(lives.mean_energy, 0.8) && near(lives.harm_per_life, 0.5), "{lives:?}");
        assert_eq!((lives.starved, lives.hurt, lives.survived), (0, 1, 1));
        assert_eq!((lives.steps_per_life, lives.meals_per_life), (4.0, 3.0));
        assert_eq!(LivesTotal::default().lives(), None);
    }
}
