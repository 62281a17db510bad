//! Who was connected by video, and when.

use diesel::sql_types::{Nullable, Text};
use kernel::id::{SessionId, UserId};
use kernel::{StoreError, Timestamp};
use sessions::VideoProvider;
use sessions::media::{Ending, Media, MediaStore};

use crate::error::Stored;
use crate::prepared::{Value, prepared};
use crate::tx::Tx;
use crate::types::{AnyTs, AnyUuid, Id, Ts};

const END: &str = "UPDATE session_media SET disconnected_at = $3
    WHERE session_id = $1 AND user_id = $2 AND disconnected_at IS NULL";

impl MediaStore for Tx<'_> {
    fn media_begin(&mut self, media: &Media) -> Result<bool, StoreError> {
        let values = [
            Value::Id(Id(media.session.uuid())),
            Value::Id(Id(media.user.uuid())),
            Value::Text(&media.connection),
            Value::Text(media.provider.as_str()),
            Value::Time(Ts::from(media.connected_at)),
            Value::MaybeTime(media.disconnected_at.map(Ts::from)),
        ];
        let insert = "INSERT INTO session_media
            (session_id, user_id, connection_id, provider, connected_at, disconnected_at)
            VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
        Ok(prepared::<()>(insert, &values).execute(self.conn()).stored()? == 1)
    }

    fn media_end(
        &mut self,
        session: SessionId,
        user: UserId,
        which: Ending<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (sql, connection) = match which {
            Ending::All => (END.to_owned(), None),
            Ending::Only(connection) => (format!("{END} AND connection_id = $4"), Some(connection)),
            Ending::AllBut(connection) => (format!("{END} AND connection_id <> $4"), Some(connection)),
        };
        let values = [
            Value::Id(Id(session.uuid())),
            Value::Id(Id(user.uuid())),
            Value::Time(Ts::from(now)),
            Value::MaybeText(connection),
        ];
        prepared::<()>(&sql, &values).execute(self.conn()).stored().map(drop)
    }

    fn media_of(&mut self, session: SessionId) -> Result<Vec<Media>, StoreError> {
        type Row = (Id, String, String, Ts, Option<Ts>);
        let rows: Vec<Row> = prepared::<(AnyUuid, Text, Text, AnyTs, Nullable<AnyTs>)>(
            "SELECT user_id, connection_id, provider, connected_at, disconnected_at FROM session_media
             WHERE session_id = $1 ORDER BY connected_at, user_id",
            &[Value::Id(Id(session.uuid()))],
        )
        .load(self.conn())
        .stored()?;
        let media = |(user, connection, provider, connected_at, disconnected_at): Row| {
            Ok(Media {
                session,
                user: UserId::new(user.0),
                connection,
                provider: VideoProvider::parse(&provider)
                    .ok_or_else(|| StoreError::corrupt("session_media.provider", &provider))?,
                connected_at: connected_at.into(),
                disconnected_at: disconnected_at.map(Timestamp::from),
            })
        };
        rows.into_iter().map(media).collect()
    }
}
