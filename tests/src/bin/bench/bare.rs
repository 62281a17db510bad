//! The limits that actix itself sets: a handler that reads one row, and a socket that does nothing.

use std::net::TcpListener;
use std::path::Path;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use diesel::connection::SimpleConnection;
use diesel::r2d2::{ConnectionManager, Pool};
use diesel::sql_types::{Binary, Text};
use diesel::{QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use futures_util::StreamExt;
use uuid::Uuid;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    status: String,
}

type Readers = Pool<ConnectionManager<SqliteConnection>>;

async fn read_one(id: web::Path<Uuid>, readers: web::Data<Readers>) -> HttpResponse {
    let readers = readers.get_ref().clone();
    let row = web::block(move || {
        let mut connection = readers.get().expect("a connection");
        sql_query("SELECT status FROM sessions WHERE id = ?")
            .bind::<Binary, _>(id.as_bytes().as_slice())
            .get_result::<Row>(&mut connection)
    })
    .await
    .expect("a thread")
    .expect("a row");
    HttpResponse::Ok().json(serde_json::json!({ "status": row.status }))
}

/// Serves single rows of a database with two workers. Answers the address.
pub fn serve_rows(file: &Path) -> String {
    let readers: Readers = Pool::builder()
        .max_size(4)
        .test_on_check_out(false)
        .build(ConnectionManager::new(file.display().to_string()))
        .expect("a pool");
    readers.get().expect("a connection").batch_execute("PRAGMA query_only = ON").expect("a setting");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server = HttpServer::new(move || {
                App::new().app_data(web::Data::new(readers.clone())).route("/{id}", web::get().to(read_one))
            });
            server.workers(2).disable_signals().listen(listener).expect("listens").run().await
        })
    });
    address
}

async fn sit(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, actix_web::Error> {
    let (response, session, mut stream) = actix_ws::handle(&request, payload)?;
    actix_web::rt::spawn(async move {
        let _session = session;
        while let Some(Ok(_)) = stream.next().await {}
    });
    Ok(response)
}

/// A process that does nothing but hold sockets; it prints its port.
pub fn serve_sockets() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    println!("{}", listener.local_addr().expect("an address").port());
    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(|| App::new().route("/ws", web::get().to(sit)));
        server.workers(2).disable_signals().listen(listener).expect("listens").run().await.expect("serves");
    });
}
