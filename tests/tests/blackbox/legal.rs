//! The terms and the privacy text: built in, replaced by the operator's files, and refused when they can't be read.

use std::fs;

use tests::{Backend, on_both};

on_both! {
    async fn the_texts_are_there_without_signing_in_and_are_linked_where_they_matter(server) {
        let guest = server.guest();
        let terms = guest.get("/terms").await.expect_status(200);
        assert!(terms.text.contains("<h1>Terms</h1>") && terms.text.contains("In force since"), "{terms:?}");
        let privacy = guest.get("/privacy").await.expect_status(200);
        for promise in ["Nothing is recorded", "24 months", "10 years"] {
            assert!(privacy.text.contains(promise), "{promise}");
        }
        let register = guest.get("/start?mode=register").await.expect_status(200);
        assert!(register.text.contains("By making an account you accept our <a href=\"/terms\">"), "{register:?}");
        let home = guest.get("/").await.expect_status(200);
        assert_eq!(home.text.matches("href=\"/privacy\"").count(), 1, "once, in the foot");
        let dana = server.register("customer", "Dana").await;
        let mail = server.message_to(&dana.email, "verification").await;
        for part in ["text", "html"] {
            let text = mail[part].as_str().expect("a body");
            assert!(text.contains("/terms") && text.contains("/privacy"), "{part}: {text}");
        }
    }
}

#[test]
fn an_operators_own_text_takes_the_place_of_the_built_in_one_and_a_broken_one_stops_the_start() {
    tests::server::run_with(Backend::Sqlite, &[], async |server| {
        let folder = server.folder().join("config");
        fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join("terms.md");
        server.stop();
        fs::write(&file, "# House rules\n\nNo version.\n").expect("a file");
        server.refuses_to_start("bad-terms", &[], "config/terms.md");
        let own = "# House rules\n\nVersion: 2027-01-31\n\nBe kind. <script>alert(1)</script>\n";
        fs::write(&file, own).expect("a file");
        server.start().await;
        let page = server.guest().get("/terms").await.expect_status(200);
        assert!(
            page.text.contains("<h1>House rules</h1>") && page.text.contains("31 January 2027"),
            "{page:?}"
        );
        assert!(!page.text.contains("<script>alert"), "{page:?}");
    });
}
