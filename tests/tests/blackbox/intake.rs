//! Plans, and the description of the car before checkout.

use serde_json::{Value, json};
use tests::money::intake_body;
use tests::on_both;

/// A good intake with one part replaced: `/field` or `/vehicle/field`; null removes it.
fn with(pointer: &str, value: Value) -> Value {
    let mut body = intake_body("chat10");
    let (parent, field) = pointer.rsplit_once('/').expect("a pointer");
    let parent = body.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object");
    if value.is_null() {
        parent.remove(field);
    } else {
        parent.insert(field.to_owned(), value);
    }
    body
}

on_both! {
    async fn the_plans_are_those_of_the_active_book(server) {
        let answer = server.guest().get("/api/plans").await.expect_status(200);
        assert_eq!(answer.body["book"], "2025-10");
        assert_eq!(answer.body["currency"], "usd");
        let told: Vec<_> = answer.body["plans"].as_array().expect("a list").iter().map(|plan| {
            (plan["code"].as_str().expect("a code").to_owned(), plan["price_cents"].as_i64().expect("a price"),
             plan["duration_minutes"].as_i64().expect("minutes"), plan["first_time_only"] == true)
        }).collect();
        let expected = [("free", 0, true), ("chat10", 999, false), ("video15", 2999, false), ("diagnostic", 4999, false)];
        for (code, price, first_time_only) in expected {
            let plan = told.iter().find(|plan| plan.0 == code).unwrap_or_else(|| panic!("no {code} in {told:?}"));
            assert_eq!((plan.1, plan.3), (price, first_time_only), "{code}");
        }
    }

    async fn an_alias_of_a_plan_is_taken_for_the_plan(server) {
        let dana = server.customer().await;
        for (alias, plan, price) in
            [("quick_chat", "chat10", 999), ("expert_video", "video15", 2999), ("premium", "diagnostic", 4999)]
        {
            let answer = dana.client.post("/api/intake/start", intake_body(alias)).await.expect_status(201);
            assert_eq!((&answer.body["plan"], &answer.body["price_cents"]), (&json!(plan), &json!(price)), "{alias}");
            assert_eq!(answer.body["next"], "checkout");
        }
    }

    async fn a_bad_intake_is_refused_with_the_field_and_writes_nothing(server) {
        let dana = server.customer().await;
        let long = "x".repeat(20_000);
        let cases = [
            ("/plan", Value::Null, "plan"),
            ("/plan", json!("chat11"), "plan"),
            ("/plan", json!(10), "plan"),
            ("/vehicle", Value::Null, "vehicle"),
            ("/vehicle", json!("a car"), "vehicle"),
            ("/vehicle/year", Value::Null, "vehicle.year"),
            ("/vehicle/year", json!("2016"), "vehicle.year"),
            ("/vehicle/year", json!(1850), "vehicle.year"),
            ("/vehicle/year", json!(2100), "vehicle.year"),
            ("/vehicle/year", json!(-1), "vehicle.year"),
            ("/vehicle/year", json!(1e300), "vehicle.year"),
            ("/vehicle/make", Value::Null, "vehicle.make"),
            ("/vehicle/make", json!(""), "vehicle.make"),
            ("/vehicle/make", json!("  "), "vehicle.make"),
            ("/vehicle/make", json!(long), "vehicle.make"),
            ("/vehicle/model", json!(""), "vehicle.model"),
            ("/vehicle/mileage", json!(-1), "vehicle.mileage"),
            ("/vehicle/mileage", json!(99_999_999_999_i64), "vehicle.mileage"),
            ("/vehicle/mileage", json!("far"), "vehicle.mileage"),
            ("/vehicle/vin", json!("1HGCM82633A004353"), "vehicle.vin"),
            ("/vehicle/vin", json!("1HGCM82633A00435"), "vehicle.vin"),
            ("/vehicle/vin", json!("IOQCM82633A004352"), "vehicle.vin"),
            ("/concern", Value::Null, "concern"),
            ("/concern", json!(""), "concern"),
            ("/concern", json!(long), "concern"),
            ("/concern", json!(["a"]), "concern"),
            ("/accept_waiver", Value::Null, "accept_waiver"),
            ("/accept_waiver", json!(false), "accept_waiver"),
            ("/accept_waiver", json!("yes"), "accept_waiver"),
            ("/preferred_mechanic_id", json!("somebody"), "preferred_mechanic_id"),
            ("/routing_type", json!("somehow"), "routing_type"),
            ("/file_ids", json!("none"), "file_ids"),
            ("/file_ids", json!(["not an id"]), "file_ids"),
            ("/discount", json!(100), "discount"),
            ("/vehicle/colour", json!("red"), "vehicle.colour"),
        ];
        for (pointer, value, field) in cases {
            let shown = format!("{pointer} = {}", value.to_string().chars().take(40).collect::<String>());
            let answer = dana.client.post("/api/intake/start", with(pointer, value)).await;
            assert_eq!(answer.status, 422, "{shown}: {answer:?}");
            answer.assert_is_problem();
            let fields: Vec<&str> = answer.body["errors"].as_array().into_iter().flatten()
                .filter_map(|error| error["field"].as_str()).collect();
            assert!(fields.iter().any(|named| named.starts_with(field)), "{shown}: {fields:?}");
        }
        assert_eq!(server.database().count("intakes", "1 = 1"), 0);
    }

    async fn a_vin_is_checked_offline_and_a_right_one_passes(server) {
        let dana = server.customer().await;
        // The check digit of this one is right; its last character is changed above.
        let answer = dana.client.post("/api/intake/start", with("/vehicle/vin", json!("1hgcm82633a004352"))).await;
        assert!(answer.status == 201 || answer.status == 422, "{answer:?}");
        let mut body = with("/vehicle/vin", json!("1HGCM82633A004352"));
        body["vehicle"]["year"] = json!(2003);
        dana.client.post("/api/intake/start", body).await.expect_status(201);
    }

    async fn an_intake_belongs_to_a_customer(server) {
        server.guest().post("/api/intake/start", intake_body("chat10")).await.refused(401, "not_signed_in");
        let mechanic = server.mechanic().await;
        mechanic.client.post("/api/intake/start", intake_body("chat10")).await.refused(403, "wrong_role");
    }

    async fn the_free_plan_needs_a_verified_address_and_is_given_once(server) {
        let dana = server.register("customer", "Dana Driver").await;
        dana.client.post("/api/intake/start", intake_body("free")).await.refused(403, "email_unverified");
        server.verify(&dana).await;
        let answer = dana.client.post("/api/intake/start", intake_body("free")).await.expect_status(201);
        assert_eq!(answer.body["next"], "session");
        let session = answer.text_at("session_id");
        assert_eq!(answer.text_at("route"), format!("/chat/{session}"));
        let seen = dana.session(&session).await;
        assert_eq!((&seen["payment_status"], &seen["total_price_cents"]), (&json!("paid"), &json!(0)));
        dana.client.post("/api/intake/start", intake_body("free")).await.refused(409, "free_session_used");
        assert_eq!(server.database().count("sessions", "1 = 1"), 1);
    }

    async fn twenty_tabs_asking_for_the_free_plan_at_once_get_one_session(server) {
        let dana = server.customer().await;
        let asked = (0..20).map(|_| dana.client.post("/api/intake/start", intake_body("free")));
        let answers = futures_util::future::join_all(asked).await;
        let given = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(given, 1, "{answers:?}");
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            answer.refused(409, "free_session_used");
        }
        assert_eq!(server.database().count("sessions", "1 = 1"), 1);
    }
}
