-- As the field is called everywhere else.
ALTER TABLE applications RENAME COLUMN years_of_experience TO years_experience;
