-- Which mails that are not part of something bought a person wants, where they chose; and the address at which one
-- click stops such a mail, as the development mailbox shows it.

CREATE TABLE notification_preferences (
    user_id uuid NOT NULL REFERENCES users (id),
    topic text NOT NULL CHECK (length(topic) BETWEEN 1 AND 50),
    wanted boolean NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, topic)
);

ALTER TABLE mailbox_messages ADD COLUMN unsubscribe_url text CHECK (length(unsubscribe_url) BETWEEN 1 AND 1000);
