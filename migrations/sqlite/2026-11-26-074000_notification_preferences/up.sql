-- Which mails that are not part of something bought a person wants, where they chose; and the address at which one
-- click stops such a mail, as the development mailbox shows it.

CREATE TABLE notification_preferences (
    user_id BLOB NOT NULL REFERENCES users (id),
    topic TEXT NOT NULL CHECK (length(topic) BETWEEN 1 AND 50),
    wanted INTEGER NOT NULL CHECK (wanted IN (0, 1)),
    updated_at TEXT NOT NULL,
    PRIMARY KEY (user_id, topic)
) STRICT;

ALTER TABLE mailbox_messages ADD COLUMN unsubscribe_url TEXT CHECK (length(unsubscribe_url) BETWEEN 1 AND 1000);
