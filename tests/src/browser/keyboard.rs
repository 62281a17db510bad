//! Keys, and where the focus is.

use fantoccini::actions::{InputSource, KeyAction, KeyActions};

use super::Browser;

/// On to the next element.
pub const TAB: char = '\u{e004}';
/// Enter.
pub const ENTER: char = '\u{e007}';
/// Escape.
pub const ESCAPE: char = '\u{e00c}';
/// Held while other keys are pressed.
pub const SHIFT: char = '\u{e008}';

impl Browser {
    /// Presses keys one after the other; what has the focus gets them.
    ///
    /// # Panics
    /// The browser is gone.
    pub async fn type_keys(&self, keys: &str) {
        let press = |actions: KeyActions, key: char| {
            actions.then(KeyAction::Down { value: key }).then(KeyAction::Up { value: key })
        };
        let actions = keys.chars().fold(KeyActions::new("keyboard".to_owned()), press);
        self.client.perform_actions(actions).await.expect("keys to press");
    }

    /// Presses one key.
    ///
    /// # Panics
    /// The browser is gone.
    pub async fn press_key(&self, key: char) {
        self.type_keys(&key.to_string()).await;
    }

    /// Presses one key while another is held.
    ///
    /// # Panics
    /// The browser is gone.
    pub async fn press_key_with(&self, held: char, key: char) {
        let actions = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value: held })
            .then(KeyAction::Down { value: key })
            .then(KeyAction::Up { value: key })
            .then(KeyAction::Up { value: held });
        self.client.perform_actions(actions).await.expect("keys to press");
    }

    /// What has the focus: its name, or else what a screen reader calls it.
    ///
    /// # Panics
    /// The browser is gone.
    pub async fn focused(&self) -> String {
        let script = "
            const it = document.activeElement;
            if (!it || it === document.body) return '';
            const words = it.getAttribute('aria-label') || it.textContent || it.labels?.[0]?.textContent || '';
            return it.name || it.id || words.replace(/\\s+/g, ' ').trim();";
        self.script(script).await.as_str().expect("a name").to_owned()
    }

    /// Presses Tab until this has the focus, as [`Self::focused`] calls it. Answers what had it on the way, each of
    /// which must show that it had.
    ///
    /// # Panics
    /// The focus never comes there, or something on the way does not show it.
    pub async fn tab_to(&self, name: &str) -> Vec<String> {
        let mut passed = Vec::new();
        for _ in 0..80 {
            self.press_key(TAB).await;
            let focused = self.focused().await;
            assert!(self.shows_focus().await, "{focused} does not show that it has the focus");
            if focused == name {
                return passed;
            }
            passed.push(focused);
        }
        panic!("Tab never comes to {name:?}, only to {passed:?}");
    }

    // Radio buttons and file fields are drawn by what stands around them.
    async fn shows_focus(&self) -> bool {
        let script = "
            const it = document.activeElement;
            const drawn = [it, it.nextElementSibling, it.closest('label')].filter(Boolean);
            return drawn.some(one => getComputedStyle(one).outlineStyle !== 'none');";
        self.script(script).await == true
    }
}
