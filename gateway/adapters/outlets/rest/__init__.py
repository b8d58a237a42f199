"""JSON over HTTPS (接口调用): documents pushed, called back and fetched, under a signing scheme."""
