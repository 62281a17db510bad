//! Test cards and what they do (<https://docs.stripe.com/testing>).

use serde_json::{Value, json};

/// What happens when a card is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behaviour {
    Pays,
    Declines(Decline),
    /// Asks the cardholder once; after that the card can be charged without them.
    AuthenticatesOnce,
    /// Asks the cardholder each time.
    AuthenticatesAlways,
    PaysLater,
    FailsLater,
    /// Pays; a refund of it is pending first.
    RefundsLater,
    /// Pays; a refund of it succeeds first and fails after a while.
    RefundFails,
    /// Pays; the cardholder disputes it a few seconds later.
    Disputes(Grounds),
    /// Pays; the money is available at once.
    PaysAvailable,
}

/// Why a cardholder disputes a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grounds {
    /// Stripe's reason.
    pub(crate) reason: &'static str,
    /// Only a question yet: no money is taken back.
    pub(crate) inquiry: bool,
}

/// Why a card is declined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decline {
    pub(crate) code: &'static str,
    pub(crate) decline_code: Option<&'static str>,
    pub(crate) message: &'static str,
}

const fn declined(decline_code: &'static str) -> Behaviour {
    Behaviour::Declines(Decline {
        code: "card_declined",
        decline_code: Some(decline_code),
        message: "Your card was declined.",
    })
}

/// The decline of a payment that needs the cardholder, who isn't there.
pub(crate) const NEEDS_CARDHOLDER: Decline = Decline {
    code: "authentication_required",
    decline_code: Some("authentication_required"),
    message: "Your card was declined. This transaction requires authentication.",
};

/// The decline of a payment whose cardholder failed to authenticate.
pub(crate) const NOT_AUTHENTICATED: Decline = Decline {
    code: "payment_intent_authentication_failure",
    decline_code: None,
    message: "We could not confirm that this is your card. Choose another card or try again.",
};

/// What becomes of a payment whose payment method is used up by the time that its holder agrees.
pub(crate) const USED_UP: Decline = Decline {
    code: "payment_method_unexpected_state",
    decline_code: None,
    message: "The provided PaymentMethod has paid without belonging to a Customer, or was detached from one, and can't \
              be used again. Attach a PaymentMethod to a Customer before you use it more than once.",
};

/// A published test number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TestCard {
    pub(crate) number: &'static str,
    pub(crate) brand: &'static str,
    pub(crate) behaviour: Behaviour,
    /// What the payment page says about it; empty for cards it doesn't list.
    pub(crate) hint: &'static str,
    /// Stripe's name of a ready-made payment method with this card; empty where there is none.
    pub(crate) alias: &'static str,
}

const fn card(
    number: &'static str,
    behaviour: Behaviour,
    alias: &'static str,
    hint: &'static str,
) -> TestCard {
    TestCard { number, brand: "visa", behaviour, hint, alias }
}

pub(crate) const TEST_CARDS: [TestCard; 21] = [
    card("4242424242424242", Behaviour::Pays, "pm_card_visa", "Pays"),
    card("4000000000000002", declined("generic_decline"), "pm_card_chargeDeclined", "Is declined"),
    card(
        "4000000000009995",
        Behaviour::Declines(Decline {
            code: "card_declined",
            decline_code: Some("insufficient_funds"),
            message: "Your card has insufficient funds.",
        }),
        "pm_card_chargeDeclinedInsufficientFunds",
        "Is declined: insufficient funds",
    ),
    card(
        "4000002500003155",
        Behaviour::AuthenticatesOnce,
        "pm_card_authenticationRequiredOnSetup",
        "Asks you to confirm",
    ),
    card(
        "4000002760003184",
        Behaviour::AuthenticatesAlways,
        "pm_card_authenticationRequired",
        "Asks each time, even once saved",
    ),
    card("4000000000000077", Behaviour::PaysLater, "pm_card_bypassPending", "Pays a few seconds later"),
    card(
        "4000000000000119",
        Behaviour::FailsLater,
        "pm_card_chargeDeclinedProcessingError",
        "Fails a few seconds later",
    ),
    card(
        "4000000000005126",
        Behaviour::RefundsLater,
        "pm_card_pendingRefund",
        "Pays; a refund takes a few seconds",
    ),
    card("4000000000007726", Behaviour::RefundFails, "pm_card_refundFail", "Pays; a refund fails later"),
    card(
        "4000000000000259",
        Behaviour::Disputes(Grounds { reason: "fraudulent", inquiry: false }),
        "pm_card_createDispute",
        "Pays; is disputed a few seconds later",
    ),
    card(
        "4000000000002685",
        Behaviour::Disputes(Grounds { reason: "product_not_received", inquiry: false }),
        "pm_card_createDisputeProductNotReceived",
        "",
    ),
    card(
        "4000000000001976",
        Behaviour::Disputes(Grounds { reason: "fraudulent", inquiry: true }),
        "pm_card_createDisputeInquiry",
        "",
    ),
    card("4000003720000278", Behaviour::PaysAvailable, "pm_card_bypassPendingInternational", ""),
    card("4000000000000341", declined("generic_decline"), "pm_card_chargeCustomerFail", ""),
    card("4000000000009987", declined("lost_card"), "pm_card_chargeDeclinedLostCard", ""),
    card("4000000000009979", declined("stolen_card"), "pm_card_chargeDeclinedStolenCard", ""),
    card(
        "4000000000000069",
        Behaviour::Declines(Decline {
            code: "expired_card",
            decline_code: None,
            message: "Your card has expired.",
        }),
        "pm_card_chargeDeclinedExpiredCard",
        "",
    ),
    card(
        "4000000000000127",
        Behaviour::Declines(Decline {
            code: "incorrect_cvc",
            decline_code: None,
            message: "Your card's security code is incorrect.",
        }),
        "pm_card_chargeDeclinedIncorrectCvc",
        "",
    ),
    card("4000056655665556", Behaviour::Pays, "pm_card_visa_debit", ""),
    TestCard {
        number: "5555555555554444",
        brand: "mastercard",
        behaviour: Behaviour::Pays,
        hint: "",
        alias: "pm_card_mastercard",
    },
    TestCard {
        number: "378282246310005",
        brand: "amex",
        behaviour: Behaviour::Pays,
        hint: "",
        alias: "pm_card_amex",
    },
];

/// The test card with this number.
pub(crate) fn by_number(number: &str) -> Option<TestCard> {
    TEST_CARDS.into_iter().find(|card| card.number == number)
}

/// The test card behind one of Stripe's ready-made tokens, such as `tok_visa`.
pub(crate) fn by_token(token: &str) -> Option<TestCard> {
    by_alias(&format!("pm_card_{}", token.strip_prefix("tok_")?))
}

/// The test card behind one of Stripe's ready-made payment methods.
pub(crate) fn by_alias(alias: &str) -> Option<TestCard> {
    TEST_CARDS.into_iter().find(|card| !alias.is_empty() && card.alias == alias)
}

impl TestCard {
    /// `4242 4242 4242 4242`, as it is printed on a card.
    pub(crate) fn printed(&self) -> String {
        let mut printed = String::new();
        for (index, digit) in self.number.chars().enumerate() {
            if index > 0 && index % 4 == 0 {
                printed.push(' ');
            }
            printed.push(digit);
        }
        printed
    }

    pub(crate) fn last4(&self) -> &'static str {
        &self.number[self.number.len() - 4..]
    }
}

/// What was typed, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entered {
    pub(crate) card: TestCard,
    pub(crate) month: i64,
    pub(crate) year: i64,
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    /// Stripe's code.
    pub(crate) code: &'static str,
    pub(crate) message: &'static str,
}

/// Mistakes by field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mistakes {
    pub(crate) number: Option<Mistake>,
    pub(crate) expiry: Option<Mistake>,
    pub(crate) cvc: Option<Mistake>,
}

/// Checks a card as typed: the number's check digit, an expiry that has not passed by `year` and `month`
/// (the current ones), and a security code of the brand's length.
///
/// # Errors
/// The mistakes, per field. A right number that is no test card is a mistake too.
pub(crate) fn check(
    number: &str,
    expiry: &str,
    cvc: &str,
    year: i64,
    month: i64,
) -> Result<Entered, Mistakes> {
    let mut mistakes = Mistakes::default();
    let card = match check_number(number) {
        Ok(card) => Some(card),
        Err(mistake) => {
            mistakes.number = Some(mistake);
            None
        }
    };
    let until = match check_expiry(expiry, year, month) {
        Ok(until) => Some(until),
        Err(mistake) => {
            mistakes.expiry = Some(mistake);
            None
        }
    };
    let digits = if card.is_some_and(|card| card.brand == "amex") { 4 } else { 3 };
    if cvc.trim().len() != digits || !cvc.trim().bytes().all(|byte| byte.is_ascii_digit()) {
        let message = if digits == 4 {
            "The security code has four digits."
        } else {
            "The security code has three digits."
        };
        mistakes.cvc = Some(Mistake { code: "invalid_cvc", message });
    }
    match (card, until, mistakes.cvc) {
        (Some(card), Some((month, year)), None) => Ok(Entered { card, month, year }),
        _ => Err(mistakes),
    }
}

fn check_number(typed: &str) -> Result<TestCard, Mistake> {
    let number: String = typed.chars().filter(|letter| !matches!(letter, ' ' | '-' | '\u{a0}')).collect();
    if number.is_empty() {
        return Err(Mistake {
            code: "incomplete_number",
            message: "Enter the number on the front of your card.",
        });
    }
    if !number.bytes().all(|byte| byte.is_ascii_digit())
        || !(12..=19).contains(&number.len())
        || !luhn(&number)
    {
        return Err(Mistake {
            code: "incorrect_number",
            message: "This card number is not right. Check each digit.",
        });
    }
    by_number(&number).ok_or(Mistake {
        code: "card_declined",
        message: "This is the sandbox: it takes test cards only, never a real one.",
    })
}

fn luhn(number: &str) -> bool {
    let sum: u32 = number
        .chars()
        .rev()
        .filter_map(|digit| digit.to_digit(10))
        .enumerate()
        .map(|(index, digit)| match (index % 2, digit) {
            (1, 5..) => digit * 2 - 9,
            (1, _) => digit * 2,
            _ => digit,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Takes `12/34`, `12 / 34`, `1234`, `12/2034`.
fn check_expiry(typed: &str, year: i64, month: i64) -> Result<(i64, i64), Mistake> {
    let incomplete = Mistake {
        code: "invalid_expiry_month",
        message: "Write the expiry as month and year, such as 12 / 34.",
    };
    let digits: String = typed.chars().filter(|letter| !matches!(letter, ' ' | '/' | '-')).collect();
    if !matches!(digits.len(), 4 | 6) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(incomplete);
    }
    let (Ok(entered_month), Ok(mut entered_year)) = (digits[..2].parse::<i64>(), digits[2..].parse::<i64>())
    else {
        return Err(incomplete);
    };
    if digits.len() == 4 {
        entered_year += year / 100 * 100;
    }
    if !(1..=12).contains(&entered_month) {
        return Err(incomplete);
    }
    if (entered_year, entered_month) < (year, month) {
        return Err(Mistake { code: "invalid_expiry_year", message: "This card's expiry has passed." });
    }
    if entered_year > year + 50 {
        return Err(Mistake {
            code: "invalid_expiry_year",
            message: "This expiry is too far in the future.",
        });
    }
    Ok((entered_month, entered_year))
}

impl Entered {
    /// The `card` part of a payment method.
    pub(crate) fn json(&self) -> Value {
        json!({
            "brand": self.card.brand,
            "checks": {"address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass"},
            "country": "US",
            "display_brand": self.card.brand,
            "exp_month": self.month,
            "exp_year": self.year,
            "fingerprint": format!("sandbox{}", self.card.last4()),
            "funding": "credit",
            "generated_from": null,
            "last4": self.card.last4(),
            "networks": {"available": [self.card.brand], "preferred": null},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": true},
            "wallet": null,
        })
    }
}

#[cfg(test)]
mod tests;
