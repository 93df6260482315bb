"""Where a site keeps its house."""

import re

import pytest

from gateway.config import load
from gateway.service import stores
from gateway.store import StorageFailed

SITE = (
    '[site]\nname = "{name}"\ndata_dir = "{folder}"\n[pms]\nline = "tcp:127.0.0.1:1"\n'
    '[ucm]\nurl = "https://127.0.0.1:1/api"\nusername = "u"\npassword = "p"\npms_username = "u"\n'
    'pms_password = "p"\ntls = "insecure"\n'
)


def config_of(folder, more="", name="Grand Hôtel"):
    path = folder / "gateway.toml"
    path.write_text(SITE.format(folder=folder, name=name) + more)
    return load(path)


def test_without_a_word_it_is_a_file_in_its_folder(tmp_path):
    config = config_of(tmp_path)
    assert stores.is_file(config)
    stores.open_store(config).close()
    assert stores.path_of(config) == tmp_path / "outbox.db"
    assert stores.place_of(config) == str(tmp_path / "outbox.db")
    assert stores.set_store_aside(config) == str(tmp_path / "outbox.db.corrupt-1")


def test_each_site_has_a_schema_of_its_own_in_a_database(tmp_path, cluster):
    config = config_of(tmp_path, f'[store]\nurl = "{cluster.address}"\n')
    assert not stores.is_file(config)
    assert re.fullmatch(r"pmsgw_grand_h_tel_[0-9a-f]{8}", config.house_schema)
    stores.open_store(config).close()
    assert stores.place_of(config) == f"schema {config.house_schema}"
    named = "SELECT 1 FROM pg_namespace WHERE nspname = %s"
    assert cluster.sql(named, config.house_schema) == [(1,)]


def test_hotels_whose_names_look_alike_to_sql_have_two_houses(tmp_path):
    names = ("Hôtel-Nice", "H-tel Nice", "北京饭店", "上海饭店", "hotel", "Hotel", "h_tel_nice")
    schemas = {config_of(tmp_path, name=name).house_schema for name in names}
    assert len(schemas) == len(names)
    assert all(re.fullmatch("[a-z_][a-z0-9_]{0,62}", each) for each in schemas)


def test_a_password_goes_to_the_server_and_into_no_text(tmp_path):
    more = '[store]\nurl = "postgresql://u@h,i/d"\npassword = "it\'s secret"\n'
    config = config_of(tmp_path, more)
    assert r"password='it\'s secret'" in stores.database(config)
    assert "secret" not in repr(config)


def test_where_psycopg_is_missing_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(stores, "find_spec", lambda _: None)
    config = config_of(tmp_path, '[store]\nurl = "postgresql://u@h/d"\n')
    with pytest.raises(StorageFailed, match="psycopg") as failed:
        stores.open_store(config)
    assert "pip install" in failed.value.do
