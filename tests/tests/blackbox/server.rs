//! The server itself: health, errors, a database that is not as it should be.

use tests::on_both;

on_both! {
    async fn a_started_server_is_healthy(server) {
        server.guest().get("/healthz").await.expect_status(200);
    }

    async fn an_unknown_address_is_a_problem_in_the_contracts_shape(server) {
        server.guest().get("/api/nothing-here").await.refused(404, "not_found");
    }
}
