package HA::Configuration;

# Configuration files and edits.

use v5.26;
use warnings;
use overload ();
use HA ();

our @ISA = 'HA::Object';

my %FILES = map { ("$_.cfg" => $HA::Interface::NUMBERS{file}{$_}) } keys %{$HA::Interface::NUMBERS{file}};
my $NAMES = $HA::Interface::NUMBERS{names};

sub _kind { 'configuration' }

sub _file {
    my ($name) = @_;
    return $FILES{$name} // HA::Error->throw(status => 'argument', message => "'$name' is no file of the configuration");
}

sub new {
    my ($class, @given) = @_;
    my %given = HA::FFI::named('HA::Configuration', [sort(keys %FILES), qw(service_types guests)], @given);
    my $self  = $class->_own(HA::FFI::get('configuration_new'));
    my $types = delete $given{service_types} // {};
    my $guests = delete $given{guests} // {};
    $self->add_service_type($_, $types->{$_}) for sort keys %$types;
    $self->read($_, $given{$_}) for sort keys %given;
    $self->set_guest($_, $guests->{$_}) for sort keys %$guests;
    return $self;
}

# A value as it stands in a file: a list with commas, a hash (of nodes with their priorities) as pairs with colons.
sub _value {
    my ($what, $value) = @_;
    my $plain = sub {
        my ($text) = @_;
        HA::Error->throw(status => 'argument', message => "$what: " . (defined $text ? "'$text'" : 'undef') . ' can not stand in a file')
            if !defined $text || ref $text && !overload::Method($text, '""') || $text =~ /[\x00-\x1f\x7f]/;
        return "$text";
    };
    return $value ? 1 : 0 if ref $value && grep { $_ } map { eval { $value->isa($_) } } qw(JSON::PP::Boolean Types::Serialiser::BooleanBase);
    return join ',', map { $plain->($_) } @$value if ref $value eq 'ARRAY';
    return join ',', map { $plain->($_) . ($value->{$_} ? ':' . $plain->($value->{$_}) : '') } sort keys %$value if ref $value eq 'HASH';
    return $plain->($value);
}

# Sections as a file has them, from a hash or, in an order of its own, an array of pairs.
sub _sections {
    my ($file, $given) = @_;
    my @pairs = ref $given eq 'ARRAY' ? @$given : map { ($_, $given->{$_}) } sort keys %$given;
    my $text = '';
    while (my ($id, $properties) = splice @pairs, 0, 2) {
        my %properties = %{$properties // {}};
        my $type = delete $properties{type};
        ($type, $id) = split /:/, $id, 2 if $file eq 'resources.cfg';
        $type //= { 'groups.cfg' => 'group', 'nodes.cfg' => 'node' }->{$file} // HA::Error->throw(status => 'argument', message => "$file: '$id' has no type");
        $text .= join ': ', map { _value("$file: $id", $_) } $type, $id;
        $text .= "\n";
        for my $key (sort keys %properties) {
            next unless defined $properties{$key};
            my $value = _value("$file: $id: $key", $properties{$key});
            $value =~ s/([^\x20-\x7e]|[:%])/join '', map { sprintf '%%%02X', ord } split m{}, HA::FFI::utf8_bytes($1)/ge
                if $file eq 'rules.cfg' && $key eq 'comment';
            $text .= "\t" . _value("$file: $id", $key) . " $value\n";
        }
        $text .= "\n";
    }
    return HA::FFI::utf8_bytes($text);
}

# A configuration from hashes, where there are no files: what is wrong with it is an exception.
sub from_hashes {
    my ($class, @given) = @_;
    my %given = HA::FFI::named('from_hashes', [qw(resources groups rules nodes datacenter service_types guests)], @given);
    my %files = map { ("$_.cfg" => _sections("$_.cfg", $given{$_})) } grep { $given{$_} } qw(resources groups rules nodes);
    my $self = $class->new(%files, map { ($_ => $given{$_}) } grep { $given{$_} } qw(service_types guests));
    for my $file (sort keys %files) {
        my ($problem) = $self->problems($file);
        die $problem if $problem;
    }
    $self->read_datacenter_json(HA::JSON::encode($given{datacenter})) if $given{datacenter};
    return $self;
}

sub copy { my ($self) = @_; return ref($self)->_own(HA::FFI::get(configuration_copy => $self)) }

sub add_service_type {
    my ($self, $type, $names) = @_;
    HA::FFI::call(configuration_add_service_type => $self, $type, $NAMES->{$names // 'any'} // 0);
    return $self;
}

# The bytes of a file, as they were read from it.
sub read {
    my ($self, $file, $bytes) = @_;
    HA::FFI::call(configuration_read => $self, _file($file), \$bytes);
    return $self;
}

sub read_datacenter_json {
    my ($self, $json) = @_;
    HA::FFI::call(configuration_read_datacenter_json => $self, $json);
    return $self;
}

sub problems {
    my ($self, $file) = @_;
    my $number = _file($file);
    my $count  = HA::FFI::get(configuration_problem_count => $self, $number);
    return map { HA::FFI::error_from_handle(HA::FFI::get(configuration_problem => $self, $number, $_)) } 0 .. $count - 1;
}

# The bytes of a file as it is now.
sub write { my ($self, $file) = @_; return HA::FFI::get(configuration_write => $self, _file($file)) }

sub digest { my ($self, $file) = @_; return HA::FFI::get(configuration_digest => $self, _file($file)) }

sub sections {
    my ($self, $file) = @_;
    my $number = _file($file);
    my $count = HA::FFI::get(configuration_section_count => $self, $number);
    return map { my (undef, $type, $id) = HA::FFI::call(configuration_section => $self, $number, $_); [$type, $id] }
        0 .. $count - 1;
}

sub property {
    my ($self, $file, $id, $key) = @_;
    return HA::FFI::get_text(configuration_property => $self, _file($file), $id, $key);
}

sub as_hash {
    my ($self, $file) = @_;
    return HA::JSON::decode(HA::FFI::get(configuration_json => $self, _file($file)));
}

sub fence_report {
    my ($self, @nodes) = @_;
    return HA::JSON::decode_if_any(HA::FFI::get(configuration_fence_report => $self, \@nodes));
}

sub shadowed_groups { my ($self) = @_; return @{HA::JSON::decode(HA::FFI::get(configuration_shadowed_groups => $self))} }

sub set_guest { my ($self, $sid, $node) = @_; HA::FFI::call(configuration_set_guest => $self, $sid, $node); return $self }

# SID => node.
sub guests {
    my ($self) = @_;
    my @guests = map { [HA::FFI::call(configuration_guest => $self, $_)] } 0 .. HA::FFI::get(configuration_guest_count => $self) - 1;
    return { map { $_->[1] => $_->[2] } @guests };
}

# Where a guest is; undef if there is no such guest.
sub guest_node { my ($self, $sid) = @_; return HA::FFI::get(configuration_guest_node => $self, $sid) }

sub clear_guests { my ($self) = @_; HA::FFI::call(configuration_clear_guests => $self); return $self }

my %ACTIONS = %{$HA::Interface::NUMBERS{edit_action}};
$ACTIONS{set_datacenter} = delete $ACTIONS{datacenter};

# set: hash, or array of pairs to keep an order; unset, nodes, in_error: arrays; guests: number => type.
sub edit {
    my ($self, $action, $id, @with) = @_;
    my %with = HA::FFI::named('edit', [qw(set unset nodes in_error guests rule_type seen keep_in_rules)], @with);
    my $edit = HA::Edit->_own(HA::FFI::get(edit_new => $ACTIONS{$action} // 0, $id // ''));
    my $set = $with{set} // [];
    my @set = ref $set eq 'HASH' ? map { [$_, $set->{$_}] } sort keys %$set : @$set;
    HA::FFI::call(edit_set       => $edit, @$_) for @set;
    HA::FFI::call(edit_unset     => $edit, $_) for @{$with{unset} // []};
    HA::FFI::call(edit_node      => $edit, $_) for @{$with{nodes} // []};
    HA::FFI::call(edit_in_error  => $edit, $_) for @{$with{in_error} // []};
    HA::FFI::call(edit_guest     => $edit, $_, $with{guests}{$_}) for sort keys %{$with{guests} // {}};
    HA::FFI::call(edit_rule_type => $edit, $with{rule_type}) if defined $with{rule_type};
    HA::FFI::call(edit_seen      => $edit, $with{seen}) if defined $with{seen};
    HA::FFI::call(edit_keep_in_rules => $edit) if $with{keep_in_rules};
    return HA::FFI::get_text(configuration_edit => $self, $edit);
}

package HA::Edit;

our @ISA = 'HA::Object';

sub _kind { 'edit' }

1;
