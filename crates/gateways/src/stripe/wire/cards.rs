//! Kept cards.

use payments::gateway::SavedCard;
use serde::Deserialize;
use stripe_client_core::{RequestBuilder, StripeMethod, StripeRequest};
use stripe_core::customer::{
    ListPaymentMethodsCustomer, ListPaymentMethodsCustomerType, RetrievePaymentMethodCustomer,
};

use super::{PAGE, Unreadable, page, read};

/// The request for the cards of a customer, newest first.
pub fn cards_request(customer: &str) -> ListPaymentMethodsCustomer {
    ListPaymentMethodsCustomer::new(customer).type_(ListPaymentMethodsCustomerType::Card).limit(PAGE)
}

/// The request for one payment method of a customer, which nobody else's answers.
pub fn card_request(customer: &str, card: &str) -> RetrievePaymentMethodCustomer {
    RetrievePaymentMethodCustomer::new(customer, card)
}

/// The request that takes a payment method off its customer. The library has it in a crate of its own, which is not
/// worth its compile time for a path.
pub struct Detach(String);

/// Takes this payment method off its customer.
pub fn detach_request(card: &str) -> Detach {
    Detach(format!("/payment_methods/{card}/detach"))
}

impl StripeRequest for Detach {
    type Output = ();

    fn build(&self) -> RequestBuilder {
        RequestBuilder::new(StripeMethod::Post, &self.0)
    }
}

#[derive(Deserialize)]
struct WireMethod {
    id: String,
    card: WireCard,
}

#[derive(Deserialize)]
struct WireCard {
    brand: String,
    last4: String,
    fingerprint: Option<String>,
    exp_month: u32,
    exp_year: u32,
}

/// The cards of a list.
///
/// # Errors
/// [`Unreadable`].
pub fn cards(text: &str) -> Result<Vec<SavedCard>, Unreadable> {
    page(text, |item| card(item.get()), |card| &card.id).map(|page| page.items)
}

/// One card.
///
/// # Errors
/// [`Unreadable`].
pub fn card(text: &str) -> Result<SavedCard, Unreadable> {
    let WireMethod { id, card } = read("payment method", text)?;
    let WireCard { brand, last4, exp_month, exp_year, fingerprint } = card;
    Ok(SavedCard { id, brand, last4, exp_month, exp_year, fingerprint })
}
