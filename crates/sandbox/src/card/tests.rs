use super::{TEST_CARDS, check, luhn};

#[test]
fn every_test_card_has_a_right_check_digit() {
    for card in TEST_CARDS {
        assert!(luhn(card.number), "{}", card.number);
    }
    assert!(!luhn("4242424242424241"));
}

#[test]
fn typed_cards_are_checked_field_by_field() {
    let codes = |number, expiry, cvc| match check(number, expiry, cvc, 2026, 3) {
        Ok(entered) => format!("{} {}/{}", entered.card.last4(), entered.month, entered.year),
        Err(mistakes) => [mistakes.number, mistakes.expiry, mistakes.cvc]
            .map(|mistake| mistake.map_or("ok", |mistake| mistake.code))
            .join(" "),
    };
    for (number, expiry, cvc, wanted) in [
        ("4242 4242 4242 4242", "12 / 34", "123", "4242 12/2034"),
        ("4242424242424242", "0326", "123", "4242 3/2026"),
        ("4242-4242-4242-4242", "12/2034", " 123 ", "4242 12/2034"),
        ("378282246310005", "1234", "1234", "0005 12/2034"),
        ("378282246310005", "1234", "123", "ok ok invalid_cvc"),
        ("4242424242424241", "02/26", "12", "incorrect_number invalid_expiry_year invalid_cvc"),
        ("", "", "", "incomplete_number invalid_expiry_month invalid_cvc"),
        ("4111111111111111", "13/30", "abc", "card_declined invalid_expiry_month invalid_cvc"),
        ("4242424242424242", "12/99", "123", "ok invalid_expiry_year ok"),
        ("4２42424242424242", "1２/3４", "123", "incorrect_number invalid_expiry_month ok"),
    ] {
        assert_eq!(codes(number, expiry, cvc), wanted, "{number} {expiry} {cvc}");
    }
}
