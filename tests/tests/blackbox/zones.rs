//! Times in the reader's zone: which zones there are, in mails, and on pages before any script runs.

use reqwest::Method;
use serde_json::json;
use tests::money::GOOD_CARD;
use tests::on_both;
use tests::people::PASSWORD;

on_both! {
    async fn a_zone_that_does_not_exist_is_refused_and_a_known_one_is_spelt_right(server) {
        let body = |zone: &str| json!({
            "email": "zoe@example.com", "password": PASSWORD, "name": "Zoe", "role": "customer", "time_zone": zone,
        });
        for zone in ["Europe/Atlantis", "here", "Etc/Unknown", "+02:00"] {
            let answer = server.guest().post("/api/auth/register", body(zone)).await;
            answer.refused(422, "invalid");
            assert_eq!(answer.body["errors"][0]["field"], "time_zone", "{answer:?}");
        }
        let zoe = server.guest();
        let registered = zoe.post("/api/auth/register", body("europe/berlin")).await.expect_status(201);
        assert_eq!(registered.body["user"]["time_zone"], "Europe/Berlin");
        let change = |zone: &str| zoe.send(Method::PATCH, "/api/me", Some(json!({ "time_zone": zone })));
        change("Mars/Olympus").await.refused(422, "invalid");
        let changed = change("America/Argentina/Buenos_Aires").await.expect_status(200);
        assert_eq!(changed.body["time_zone"], "America/Argentina/Buenos_Aires");
    }

    async fn a_browser_with_a_newer_zone_than_ours_keeps_nobody_out(server) {
        let guest = server.guest();
        let form = [
            ("name", "Zoe"), ("email", "zoe@example.com"), ("password", PASSWORD), ("time_zone", "Europe/Atlantis"),
        ];
        guest.post_form("/start/register", &form).await.expect_status(303);
        assert_eq!(guest.get("/api/me").await.expect_status(200).body["time_zone"], "UTC");
    }

    async fn mails_and_pages_tell_times_in_the_zone_of_their_reader(server) {
        let dana = server.customer().await;
        // No summer time, so that the letters are the same all year.
        let zone = json!({ "time_zone": "Asia/Kolkata" });
        dana.client.send(Method::PATCH, "/api/me", Some(zone)).await.expect_status(200);
        let checkout = dana.checkout("chat10").await;
        dana.pay(&checkout, GOOD_CARD).await.expect_status(303);
        for milestone in ["booking_confirmed", "receipt"] {
            let mail = server.message_to(&dana.email, milestone).await;
            for part in ["text", "html"] {
                let text = mail[part].as_str().expect("a body");
                assert!(text.contains(" IST") && !text.contains(" UTC"), "{milestone}: {text}");
            }
        }
        let page = dana.client.get(&format!("/orders/{}/receipt", checkout.order_id)).await.expect_status(200);
        assert!(page.text.contains(" IST</time>") && !page.text.contains(" UTC</time>"), "{page:?}");
    }
}
