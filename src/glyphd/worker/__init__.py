"""Workers claim imports and run them in processes of their own: beside one busy thread `sqlite3` inserts 600 times
slower (measured, DESIGN §7), so that nothing is ever bulk-inserted inside an API process."""
